"""Accuracy curves over sparsity, with names, marks and the tolerance line."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import BELOW, Canvas
from tui.plots.drawing.curves import CurvePath, Curves
from tui.plots.drawing.percents import percent_axis, points, short_percent
from tui.plots.drawing.placing import Cell, Cells, Trail, cut_below
from tui.plots.drawing.ticks import Axis, Tick, linear_ticks, nice_step
from tui.text.lines import Lines, cut_name

PLANNED, OTHERS = "◆", "○"
_LEFT, _RIGHT = "«", "»"
_TOLERANCE, _CHOSEN = "╌", "▸"
_NAME = "sparsity"
# The least tolerance in points that scales the axis.
_LEAST = 0.25
_Floats = NDArray[np.float64]


def draw(
    curves: Curves, width: int, height: int, hint: str, cursor: tuple[float, float] | None = None
) -> Lines:
    """Draw curves, or a hint in the middle if there are none."""
    chart = _Chart(curves, width, height)
    chart.draw_lines()
    if cursor is not None:
        chart.draw_cursor(*cursor)
    chart.draw_marks()
    chart.write_tolerance()
    chart.write_names()
    return chart.lines(hint)


class _VisibleCurve(NamedTuple):
    """The part of a curve that is inside the area."""

    path: CurvePath
    x: _Floats
    y: _Floats


class _Chart:
    """A canvas, and which of its cells are free for texts."""

    def __init__(self, curves: Curves, width: int, height: int) -> None:
        self._curves = curves
        self._rows = height - 2
        self._x, self._y = _sparsities(curves, width), _accuracies(curves, self._rows)
        self._visible_curves = [_VisibleCurve(path, *self._clipped(path)) for path in curves.drawn]
        self._name_rows = self._place_names()
        right = [self._tick(index, row, width // 6) for index, row in self._name_rows.items()]
        self._canvas = Canvas(width, height, self._x, self._y, right)
        self._cells = Cells(self._canvas)
        self._along = [self._cells.along(x, y) for _, x, y in self._visible_curves]

    def draw_lines(self) -> None:
        curves = self._curves
        if curves.chosen is not None and curves.chosen.half.any():
            self._draw_intervals(curves.chosen)
        if math.isfinite(curves.line):
            role = "muted" if curves.stale else "threshold"
            self._canvas.horizontal(curves.line, _TOLERANCE, role)
        for (path, x, y), cells in zip(self._visible_curves, self._along, strict=True):
            if path is curves.chosen:
                self._cells.reserve(cells)
            self._cells.avoid(cells)
            self._canvas.line(x, y, curves.role(path))

    def draw_marks(self) -> None:
        """Mark the planned sparsity on each curve, the selected one's last.

        A mark beyond an axis points there; the selected one says where to.
        """
        for path, _, _ in self._visible_curves:
            if math.isfinite(path.planned):
                _, y, _ = path.at(path.planned)
                role, chosen = self._curves.role(path), path is self._curves.chosen
                mark, beyond = self._mark(path.planned, y, PLANNED if chosen else OTHERS)
                self._canvas.marks([path.planned], [y], mark, role)
                cell = self._cells.reserve_point(path.planned, y)
                if chosen and beyond:
                    self._cells.write(beyond, _beside(cell, len(beyond)), role)

    def draw_cursor(self, x: float, y: float) -> None:
        self._canvas.cursor(x, y)

    def _mark(self, planned: float, y: float, inside: str) -> tuple[str, str]:
        """The mark of a plan at an accuracy, and its value if it is beyond the axes."""
        if planned < self._x.lower - 1e-6:
            return _LEFT, short_percent(planned)
        if planned > self._x.upper + 1e-6:
            return _RIGHT, short_percent(planned)
        return (BELOW, short_percent(y)) if y < self._y.lower else (inside, "")

    def write_tolerance(self) -> None:
        """Label the tolerance line where the label covers the least."""
        line, tolerance = self._curves.line, points(self._curves.tolerance)
        if math.isfinite(line) and self._rows >= 3:
            text = f" tolerance {tolerance}: {line:.2f} % "
            row, room = self._canvas.row(line), self._canvas.columns - len(text)
            starts = [Cell(column, row) for column in (1, room // 2, room - 1)]
            self._cells.write(text, starts, "muted" if self._curves.stale else "threshold")

    def write_names(self) -> None:
        """Label the curves that end inside the area, the frontmost first."""
        for index in reversed(range(len(self._visible_curves))):
            cells = self._along[index]
            if len(cells) and index not in self._name_rows:
                path = self._visible_curves[index].path
                name = self._name(path, self._canvas.columns // 4)
                self._cells.write(name, _starts(cells, len(name)), self._name_role(path))

    def lines(self, hint: str) -> Lines:
        if not self._visible_curves:
            self._canvas.hint(hint)
        return self._canvas.lines()

    def _clipped(self, path: CurvePath) -> tuple[_Floats, _Floats]:
        """Clip a curve to the area; a line along its edge would look like a value."""
        x, y = cut_below(path.x, path.y, self._y.lower)
        y, x = cut_below(y, x, self._x.lower)
        y, x = cut_below(y, -x, -self._x.upper)
        return -x, y

    def _draw_intervals(self, path: CurvePath) -> None:
        """Draw the band of a curve's intervals where it is inside the area."""
        there = (path.x >= self._x.lower) & (path.y + path.half >= self._y.lower)
        x, y, half = path.x[there], path.y[there], path.half[there]
        self._canvas.band(x, y - half, y + half, "band")

    def _place_names(self) -> dict[int, int]:
        """Find a row beside the area for the name of each curve that reaches its right edge.

        If two share a row, the name of the one behind goes above or below, if that row is free.
        """
        rows: dict[int, int] = {}
        for shift in (0, -1, 1):
            for index in reversed(range(len(self._visible_curves))):
                end = self._row_at_end(index)
                row = end + shift
                free = 0 <= row < self._rows and row not in rows.values()
                if end >= 0 and free and index not in rows:
                    rows[index] = row
        return rows

    def _row_at_end(self, index: int) -> int:
        """Return the row in which a curve reaches the right edge, -1 if it does not."""
        _, x, y = self._visible_curves[index]
        ends = y[(x >= self._x.upper - 1e-6) & np.isfinite(y)]
        return self._y.cell(ends[-1], self._rows) if len(ends) else -1

    def _tick(self, index: int, row: int, width: int) -> Tick:
        path = self._visible_curves[index].path
        at = self._y.lower + (row + 0.5) / self._rows * (self._y.upper - self._y.lower)
        return Tick(at, f" {self._name(path, width)}", self._name_role(path))

    def _name(self, path: CurvePath, width: int) -> str:
        name = cut_name(path.name, width)
        return _CHOSEN + name if path is self._curves.chosen else name

    def _name_role(self, path: CurvePath) -> str:
        role = self._curves.role(path)
        return "label" if role == "muted" and not self._curves.stale else role


def _starts(cells: Trail, length: int) -> Iterator[Cell]:
    """Yield cells where a name can start beside a curve, the nearest to the curve's end first."""
    rows = np.unique(cells[:, 1])
    for row in rows[np.argsort(np.abs(rows - cells[-1, 1]), kind="stable")].tolist():
        columns = cells[cells[:, 1] == row, 0]
        yield Cell(int(columns.max()) + 1, row)
        yield Cell(int(columns.min()) - length, row)


def _beside(cell: Cell, length: int) -> Iterator[Cell]:
    """Yield cells where the value of a mark can start."""
    column, row = cell
    for shift in (0, 1, -1, 2, -2):
        yield Cell(column + 2, row + shift)
        yield Cell(column - length - 1, row + shift)


def _sparsities(curves: Curves, width: int) -> Axis:
    """Return an axis over the sparsities of the scan, measured yet or not, whatever the plan."""
    paths = (path for path in (curves.chosen, *curves.others) if path is not None)
    scanned = [path.x[path.x > 0] for path in paths]
    places = np.concatenate([np.zeros(0), *scanned])
    if not len(places) and curves.uniform is not None:
        places = curves.uniform.x[curves.uniform.x > 0]
    lower, upper = (places.min(), places.max()) if len(places) else (0.0, 100.0)
    if upper - lower < 1:
        lower, upper = 0.0, max(upper, 1.0)
    lower, upper = float(lower), float(upper)
    step = nice_step(upper - lower, width // 8)
    return Axis(lower, upper, linear_ticks(lower, upper, step, " %"), _NAME)


def _accuracies(curves: Curves, rows: int) -> Axis:
    """Return an axis around the tolerance line and the curves above it.

    It ends twice the tolerance below the line: only where curves cross it matters. Neither the
    plan nor the selected layer moves it.
    """
    tops = [path.y for path in curves.drawn]
    values = np.concatenate([*tops, [curves.line, curves.dense]])
    values = values[np.isfinite(values)]
    if not len(values):
        return percent_axis(0, 100, rows)
    high = min(100.0, values.max())
    line = next(v for v in (curves.line, curves.dense, high) if math.isfinite(v))
    tolerance = curves.tolerance if math.isfinite(curves.tolerance) else 0.0
    low = line - 2 * max(_LEAST, tolerance)
    return percent_axis(min(low, high - _LEAST), high, rows)
