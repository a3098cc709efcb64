"""Labels among curves: the cells lines pass through, and where text fits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.placing import Cell, Cells, cut_below
from tui.plots.drawing.ticks import Axis

UNIT = Axis(0.0, 1.0)
VALUES = st.lists(st.floats(-0.5, 1.5) | st.just(float("nan")), min_size=1, max_size=12)


def canvas(columns: int, rows: int) -> Canvas:
    """A canvas with this many cells inside the axes."""
    return Canvas(columns + 1, rows + 2, UNIT, UNIT)


def written(canvas: Canvas, text: str) -> Cell | None:
    """The cell in which a text starts."""
    lines = ["".join(span.text for span in line) for line in canvas.lines()]
    rows = [(line.index(text) - 1, row) for row, line in enumerate(lines) if text in line]
    return Cell(rows[0][0], canvas.rows - 1 - rows[0][1]) if rows else None


@given(VALUES, st.integers(1, 40), st.integers(1, 20))
def test_a_line_goes_from_cell_to_neighboring_cell(
    ys: list[float], columns: int, rows: int
) -> None:
    xs = np.linspace(0, 1, len(ys))
    trail = Cells(canvas(columns, rows)).along(xs, np.array(ys))
    assert ((trail >= 0) & (trail < (columns, rows))).all()
    if np.isfinite(ys).all():
        assert (np.abs(np.diff(trail, axis=0)) <= 1).all()
        assert tuple(trail[0]) == (0, UNIT.cell(ys[0], rows))
        if len(ys) > 1:
            assert tuple(trail[-1]) == (columns - 1, UNIT.cell(ys[-1], rows))


def test_a_text_covers_no_reserved_cell_and_as_few_drawn_ones_as_possible() -> None:
    area = canvas(10, 3)
    cells = Cells(area)
    cells.reserve(np.array([[4, 0]]))
    cells.avoid(np.array([[column, 1] for column in range(10)]))
    needed, on_the_line, free = Cell(2, 0), Cell(2, 1), Cell(2, 2)
    cells.write("need", [needed], "label")
    cells.write("line", [on_the_line], "label", hides=False)
    cells.write("name", [needed, on_the_line, free], "label")
    cells.write("same", [free], "label")
    cells.write("too long a name", [Cell(0, 1)], "label")
    assert written(area, "name") == free
    assert not any(written(area, text) for text in ("need", "line", "same", "too"))


def test_a_point_outside_is_clamped_and_its_cell_reserved() -> None:
    area = canvas(10, 3)
    cells = Cells(area)
    assert cells.reserve_point(7.0, -7.0) == Cell(9, 0)
    cells.write("x", [Cell(9, 0)], "label")
    assert written(area, "x") is None


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12), st.floats(-5, 5))
def test_a_line_is_cut_where_it_crosses_the_bottom(ys: list[float], bottom: float) -> None:
    xs = list(range(len(ys)))
    x, y = cut_below(xs, ys, bottom)
    assert len(x) == len(y)
    assert not (y < bottom).any()
    assert (np.diff(x) >= 0).all()
    kept = [pair for pair in zip(xs, ys, strict=True) if pair[1] >= bottom]
    assert set(kept) <= {(float(a), float(b)) for a, b in zip(x, y, strict=True)}
