"""A canvas for horizontal bars, each with its name on the left and its numbers on the right."""

from collections.abc import Sequence

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.ticks import Axis, Tick


def bar_canvas(
    width: int,
    lines: int,
    x: Axis,
    names: Sequence[str],
    numbers: Sequence[str],
    roles: Sequence[str],
    bottom_axis: bool,
) -> Canvas:
    """Return a canvas with `lines` rows for each bar, the first bar at the top.

    If several, the last of them is a gap, except below the lowest bar. `roles` are those of the
    names and numbers; `bottom_axis` is as in `Canvas`.
    """
    rows = lines * len(names) - (lines > 1)
    places = [rows - lines * index - 0.5 for index in range(len(names))]
    longest = max(map(len, names))
    padded = [name.ljust(longest) for name in names]
    left, right = (tuple(map(Tick, places, texts, roles)) for texts in (padded, numbers))
    return Canvas(width, rows + 2 * bottom_axis, x, Axis(0, rows, left), right, bottom_axis)
