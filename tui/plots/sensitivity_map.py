"""The sensitivity of many layers as a heat map: a row a layer, a column a sparsity.

A cell has the drop in accuracy in points, as a number and as a color.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.curves import Curve, CurvePath
from tui.plots.drawing.percents import percents, points
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, distinct_width, width_of

PLANNED, LIMIT, ESTIMATE = "◆", "│", "~"
_ESTIMATED_LIMIT, _UNKNOWN, _CHOSEN = "╎", "·", "▸ "
_AXIS, _UNIFORM = "sparsity %", "uniform"

_CELLS = range(4, 9)
"""Widths of a column: a mark left of the number, two to six cells for it, a mark on its right."""

_NAME = 24
"""The most cells of a name that wider columns leave it."""

_DECIMALS = 7
"""The least width of a column for numbers with a decimal."""

_LEVELS = ((0.5, "heat-none"), (1.0, "heat-low"), (4.0, "heat-over"))
"""Roles of drops up to this many times the tolerated one; all larger ones are `heat-far`."""


class Map(NamedTuple):
    """What the heat map shows; accuracies are in percent, NaN if unknown.

    Attributes:
        curves: A curve for each layer.
        chosen: The selected one, always visible.
        uniform: The curve of all layers pruned to the same sparsity, always below the others.
        dense: Accuracy before pruning; NaN to measure drops from the best accuracy of the scan.
        tolerance: The tolerated drop, in points.
        stale: Whether they belong to different weights.
    """

    curves: tuple[Curve, ...]
    chosen: int
    uniform: Curve | None
    dense: float
    tolerance: float
    stale: bool


class HeatMap:
    """The part of a map that an area has room for."""

    def __init__(self, data: Map, width: int, height: int, cursor: float | None = None) -> None:
        """`cursor` is a sparsity in percent, marked in the axis."""
        self._data, self._width, self._height = data, width, height
        self._cursor = cursor
        self._rows = tuple(_rows(data, height - 1))
        self._layout = _Layout.of(self._rows, _labels(data), width)

    def lines(self) -> Lines:
        """The axis, and as many layers as fit, the selected one among them."""
        data = self._data
        dense = data.dense if math.isfinite(data.dense) else _best(data)
        lines = [
            self._layout.axis(self._cursor),
            *(self._layout.row(row, data, dense) for row in self._rows),
        ]
        fill = (Span(" " * (self._width - width_of(line)), "plain") for line in lines)
        filled = tuple((*line, rest) for line, rest in zip(lines, fill, strict=True))
        return filled + blank(self._width, self._height - len(filled))

    def legend(self) -> Line:
        """What numbers and marks mean."""
        data, rows = self._data, self._rows
        spans = [Span("  drop in points", "label")]
        if math.isfinite(data.tolerance):
            spans.append(Span(f"  {LIMIT} over {points(data.tolerance)}", "threshold"))
        if any(math.isfinite(row.path.planned) for row in rows):
            spans.append(Span(f"  {PLANNED} plan", "muted" if data.stale else "chosen"))
        if any(row.path.half.any() for row in rows):
            spans.append(Span(f"  {ESTIMATE} estimate", "label"))
        layers = len(data.curves)
        if hidden := layers - sum(row.role != "uniform" for row in rows):
            spans.append(Span(f"  {hidden} of {layers} layers hidden", "hint"))
        return tuple(spans)


class _Row(NamedTuple):
    path: CurvePath
    label: str
    role: str


def _rows(data: Map, room: int) -> Iterator[_Row]:
    """The visible rows: the layers around the selected one and, if there is room, all together."""
    layers = len(data.curves)
    shown = max(1, room - (data.uniform is not None and room > 3))
    chosen = min(max(0, data.chosen), layers - 1)
    first = max(0, min(chosen - shown // 2, layers - shown))
    names = _labels(data)
    for at in range(first, min(first + shown, layers)):
        role = "chosen" if at == chosen else "label"
        yield _Row(CurvePath.of(data.curves[at], math.nan), names[at], role)
    if data.uniform is not None and shown < room:
        yield _Row(CurvePath.of(data.uniform, math.nan), _UNIFORM, "uniform")


def _labels(data: Map) -> tuple[str, ...]:
    """The layers' names without the modules around all of them."""
    paths = [clean(curve.name).split(".") for curve in data.curves]
    modules = zip(*(path[:-1] for path in paths), strict=False)
    shared = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, modules))
    return tuple(".".join(path[shared:]) for path in paths)


class _Layout(NamedTuple):
    """The sparsities of the columns in percent, and the widths of names and columns."""

    sparsities: tuple[float, ...]
    name: int
    cell: int

    @classmethod
    def of(cls, rows: Sequence[_Row], names: tuple[str, ...], width: int) -> "_Layout":
        """Fit the columns to a width; if names need the room, some sparsities are left out."""
        known = np.unique(np.round(np.concatenate([row.path.x for row in rows]), 4))
        longest, room = max(len(_AXIS), *map(len, names)), width - len(_CHOSEN) - 1
        least = min(distinct_width((*names, _AXIS)), room * 2 // 3)
        number = max(1, min(len(known), (room - least) // _CELLS.start))
        shown = (
            known[np.linspace(0, len(known) - 1, number).round().astype(int)]
            if len(known)
            else known
        )
        cell = (room - min(longest, _NAME)) // number
        cell = min(max(cell, _CELLS.start), _CELLS.stop - 1)
        name = max(0, min(longest, room - number * cell))
        return cls(tuple(shown.tolist()), name, cell)

    def axis(self, cursor: float | None = None) -> Line:
        """The sparsities above the columns; the one at the cursor is marked."""
        labels = (f"{value:g}" for value in self.sparsities)
        fitting = (text if len(text) < self.cell else f"{float(text):.0f}" for text in labels)
        cells = [text.rjust(self.cell - 1) + " " for text in fitting]
        name = cut_name(_AXIS, self.name).ljust(self.name)
        start = Span(" " * len(_CHOSEN) + name + " ", "label")
        if cursor is None or not cells:
            return (start._replace(text=start.text + "".join(cells)),)
        at = min(range(len(cells)), key=lambda place: abs(self.sparsities[place] - cursor))
        roles = ["cursor" if place == at else "label" for place in range(len(cells))]
        return (start, *map(Span, cells, roles))

    def row(self, row: _Row, data: Map, dense: float) -> Line:
        """The drops of a layer; the plan is marked right of the last sparsity it reaches."""
        sign = _CHOSEN if row.role == "chosen" else " " * len(_CHOSEN)
        role = "label" if data.stale else row.role
        planned = row.path.planned
        reached = bisect_right(self.sparsities, planned + 1e-4) if math.isfinite(planned) else -1
        cells, limit = self._cells(row, data, dense), "label" if data.stale else "threshold"
        line = [Span(sign + cut_name(row.label, self.name).ljust(self.name), role)]
        line += [Span(PLANNED if reached == 0 else " ", role)]
        for place, (mark, number, heat) in enumerate(cells, 1):
            line += [Span(mark, role if mark == ESTIMATE else limit), Span(number, heat)]
            line += [Span(PLANNED if reached == place else " ", role)]
        return tuple(line)

    def _cells(self, row: _Row, data: Map, dense: float) -> Iterator[tuple[str, str, str]]:
        """The mark left of each number, the number, and its role."""
        path, over = row.path, False
        places = {round(x, 4): at for at, x in enumerate(path.x.tolist())}
        for sparsity in self.sparsities:
            at = places.get(sparsity)
            drop = math.nan if at is None else dense - float(path.y[at])
            if at is None or not math.isfinite(drop):
                yield " ", _UNKNOWN.rjust(self.cell - 2), "muted"
                continue
            sampled = bool(path.half[at])
            first, over = drop > data.tolerance and not over, over or drop > data.tolerance
            role = "muted" if data.stale else _heat(drop, data.tolerance)
            yield *self._marked(_number(drop, self.cell), sampled, first), role

    def _marked(self, number: str, sampled: bool, first: bool) -> tuple[str, str]:
        """The mark left of a number, and the number; an estimate is marked beside it, or there."""
        room = self.cell - 2
        if sampled and len(number) < room:
            return LIMIT if first else " ", (ESTIMATE + number).rjust(room)
        limit, within = (_ESTIMATED_LIMIT, ESTIMATE) if sampled else (LIMIT, " ")
        return limit if first else within, number.rjust(room)


def map_table(data: Map) -> DataTable:
    """Return a row for each layer and sparsity: its accuracy, its interval and the drop."""
    dense = data.dense if math.isfinite(data.dense) else _best(data)
    curves = (*data.curves, *([data.uniform] if data.uniform else []))
    paths = [CurvePath.of(curve, math.nan) for curve in curves]
    places = np.unique(np.round(np.concatenate([path.x for path in paths]), 4)).tolist()
    rows: list[tuple[str, float, float, float]] = []
    for path in paths:
        measured = zip(path.y.tolist(), path.half.tolist(), strict=True)
        known = dict(zip(np.round(path.x, 4).tolist(), measured, strict=True))
        rows += [(path.name, place, *known.get(place, (math.nan, 0.0))) for place in places]
    names, sparsities, accuracies, halves = zip(*rows, strict=True) if rows else ((),) * 4
    drops = tuple(dense - accuracy for accuracy in accuracies)
    columns = (
        Column("layer", names),
        Column("sparsity", sparsities, "%", 2),
        Column("accuracy", accuracies, "%", 2, "validation"),
        Column("±", halves, "points", 2, "label"),
        Column("drop", drops, "points", 2, "threshold"),
    )
    return DataTable(columns, across=max(1, len(places)), keys=2)


def _number(drop: float, cell: int) -> str:
    """A drop in points, with a decimal if there is room; in two cells only below one point."""
    if cell >= _DECIMALS:
        return f"{round(min(max(drop, -9.9), 99.9), 1) + 0.0:.1f}"
    tenths = max(0, round(10 * drop))
    if tenths < 10:
        return f".{tenths}" if tenths else "0"
    return f"{min(drop, 99):.0f}"


def _heat(drop: float, tolerance: float) -> str:
    if not math.isfinite(tolerance):
        return "plain"
    return next((role for times, role in _LEVELS if drop <= times * tolerance), "heat-far")


def _best(data: Map) -> float:
    """The best accuracy of the scan, which is near the dense one."""
    curves = (*data.curves, *([data.uniform] if data.uniform else []))
    accuracies = percents([accuracy for curve in curves for _, accuracy, _ in curve.points])
    return float(np.fmax.reduce(accuracies, initial=0.0))
