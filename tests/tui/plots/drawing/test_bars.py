"""A canvas for lying bars."""

import pytest

from tui.plots.drawing.bars import bar_canvas
from tui.plots.drawing.ticks import Axis, linear_ticks


@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("bottom_axis", [True, False])
def test_each_bar_has_its_name_and_numbers_beside_it(lines: int, bottom_axis: bool) -> None:
    names, numbers = ["conv1", "fc"], [" 12", " 34"]
    canvas = bar_canvas(
        40,
        lines,
        Axis(0, 1, linear_ticks(0, 1, 1)),
        names,
        numbers,
        ["label", "chosen"],
        bottom_axis,
    )
    top = canvas.rows - 1
    canvas.horizontal_bars({top: 1.0, top - lines: 0.5}, "█", "kept")
    rows = ["".join(span.text for span in line) for line in canvas.lines()]
    assert canvas.rows == (2 if lines == 1 else 2 * lines - 1)
    assert len(rows) == canvas.rows + 2 * bottom_axis
    assert rows[0].startswith("conv1")
    assert rows[0].endswith("12")
    assert rows[lines].startswith("fc ")
    assert rows[lines].endswith("34")
    assert rows[0].count("█") == canvas.columns
    assert rows[lines].count("█") == pytest.approx(canvas.columns / 2, abs=1)
