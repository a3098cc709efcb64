"""The Pareto front: the nets that no other beats in both ratio and accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """The indices of the points on the Pareto front, by increasing ratio.

    A point is beaten by one that is at least as good in both numbers and better in one. Of equal
    points only the first counts; points with NaN never do.

    Args:
        points: pairs of ratio and accuracy; higher is better in both.

    Examples:
        >>> front([(1, 99.2), (37, 99.3), (12, 99.3), (100, 98.6)])
        (1, 3)
    """
    order = [at for at, point in enumerate(points) if not any(map(math.isnan, point))]
    order.sort(key=lambda at: (-points[at][0], -points[at][1], at))
    kept: list[int] = []
    for at in order:
        if not kept or points[at][1] > points[kept[-1]][1]:
            kept.append(at)
    return tuple(reversed(kept))
