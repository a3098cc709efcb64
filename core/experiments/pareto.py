"""The Pareto front of ratio and accuracy."""

import math
from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """The indices of the points on the Pareto front, by increasing ratio.

    A point is dominated by one at least as good in both numbers and better in one. Of equal points
    only the first is on the front; points with NaN never are.

    Args:
        points: pairs of ratio and accuracy; higher is better in both.

    Examples:
        >>> front([(1, 99.2), (37, 99.3), (12, 99.3), (100, 98.6)])
        (1, 3)
    """
    order = [index for index, point in enumerate(points) if not any(map(math.isnan, point))]
    order.sort(key=lambda index: (-points[index][0], -points[index][1], index))
    result: list[int] = []
    for index in order:
        if not result or points[index][1] > points[result[-1]][1]:
            result.append(index)
    return tuple(reversed(result))
