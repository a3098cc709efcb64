"""The gateway to plotext: whatever is drawn, the area is filled exactly and nothing fails."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.ticks import Axis, linear_ticks
from tui.text.lines import Lines

ANYTHING = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([1e300, -1e300])
POINTS = st.lists(st.tuples(ANYTHING, ANYTHING), max_size=8)


def axis(upper: float) -> Axis:
    return Axis(0, upper, linear_ticks(0, upper, upper / 2))


def assert_fills(lines: Lines, width: int, height: int) -> None:
    assert [sum(len(span.text) for span in line) for line in lines] == [width] * height


@settings(max_examples=40)
@given(POINTS, st.integers(20, 90), st.integers(6, 24), st.booleans())
def test_any_numbers_fill_the_area_exactly(
    points: list[tuple[float, float]], width: int, height: int, bottom_axis: bool
) -> None:
    canvas = Canvas(width, height, axis(10), axis(100), bottom_axis=bottom_axis)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    canvas.line(xs, ys, "loss")
    canvas.marks(xs, ys, "x", "best")
    canvas.hint("nothing yet")
    assert_fills(canvas.lines(), width, height)


def test_a_hint_covers_no_line() -> None:
    canvas = Canvas(40, 12, axis(10), axis(100))
    canvas.level(45, "-", "dense")
    canvas.hint("nothing yet")
    lines = ["".join(span.text for span in line) for line in canvas.lines()]
    (hint,) = (row for row, line in enumerate(lines) if "nothing yet" in line)
    (level,) = (row for row, line in enumerate(lines) if "-" * canvas.columns in line)
    assert abs(hint - level) == 1


def test_a_mark_lies_where_its_numbers_say() -> None:
    canvas = Canvas(40, 12, axis(10), axis(100))
    canvas.marks([0, 10], [100, 0], "#", "best")
    lines = ["".join(span.text for span in line) for line in canvas.lines()]
    marked = [(row, line.index("#")) for row, line in enumerate(lines) if "#" in line]
    (top, left), (bottom, right) = marked
    assert (top, bottom) == (0, canvas.rows - 1)
    assert right - left == canvas.columns - 1


def test_a_line_is_interrupted_where_a_value_is_missing() -> None:
    def dots(ys: list[float]) -> int:
        canvas = Canvas(60, 12, axis(10), axis(100))
        canvas.line([0, 2, 4, 6, 8, 10], ys, "loss")
        return sum(len(s.text.strip()) for line in canvas.lines() for s in line if s.role == "loss")

    assert 0 < dots([50, 50, float("nan"), float("nan"), 50, 50]) < dots([50] * 6)


def test_importing_the_plots_loads_neither_plotext_nor_textual_nor_torch() -> None:
    code = (
        "import sys, tui.views.plot_drawers; print({'plotext','textual','torch'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
