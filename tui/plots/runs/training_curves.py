"""The accuracy of two runs, epoch by epoch."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.data_table import Column, DataTable, merged
from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.heading import heading
from tui.plots.drawing.percents import percent_axis, percent_or_nan, percent_rows
from tui.plots.drawing.placing import Cell, Cells, cut_below
from tui.plots.drawing.ticks import Axis, epoch_axis
from tui.plots.view import PLAIN, View
from tui.text.format import half_width, score_on
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits

LABEL = "Trainings"
_DENSE = "╌"
# What is visible below the best accuracy: so many points, or times the median's distance.
_REACH, _TIMES = 1.0, 4.0
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RunCurve:
    """One run.

    Attributes:
        epochs: Epochs and the accuracies after them in percent, NaN if missing.
        best: The best epoch.
        sign: The character that marks it.
    """

    label: str
    epochs: tuple[tuple[float, float], ...]
    best: float | None
    sign: str
    role: str


@dataclass(frozen=True, slots=True)
class TrainingCurvesData:
    """The runs, the first one in front, and the dense net's accuracy in percent.

    Attributes:
        images: On which accuracies were measured; 0 if unknown.
    """

    runs: tuple[RunCurve, ...]
    split: str = ""
    dense: float | None = None
    images: int = 0


def draw(
    data: TrainingCurvesData, width: int, height: int, hint: str = "", view: View = PLAIN
) -> Lines:
    """Draw accuracies over epochs."""
    if not fits(width, height):
        return blank(width, height)
    curves = _rows(data)
    first, legend = _heads(data, curves)
    head = heading(first, legend, width, height, view)
    dense = percent_or_nan(data.dense)
    last = max([1.0, *(float(curve[-1, 0]) for curve in curves if len(curve))])
    y = _accuracies(curves, dense, height - len(head) - 2)
    canvas = Canvas(width, height - len(head), epoch_axis(last, width), y)
    for curve in curves[:1]:
        halves = np.array([half_width(y, data.images) if y == y else 0 for y in curve[:, 1]])
        if halves.any():
            canvas.band(curve[:, 0], curve[:, 1] - halves, curve[:, 1] + halves, "band")
    canvas.level(dense, _DENSE, "dense")
    if view.row is not None:
        numbers = table(data)
        canvas.cursor(numbers.number(view.row, 0), numbers.number(view.row, view.column))
    cells = Cells(canvas)
    for run, curve in reversed(list(zip(data.runs, curves, strict=True))):
        _draw_curve(canvas, run, curve)
        cells.avoid(cells.along(*cut_below(curve[:, 0], curve[:, 1], canvas.y.lower)))
    for run, curve in zip(data.runs, curves, strict=True):
        _write_lowest(canvas, cells, run, curve)
    if math.isfinite(dense):
        cells.write_level(dense, f"dense {score_on(dense, data.images)} %", "dense")
    if not any(map(len, curves)):
        canvas.hint(hint or "neither run recorded its epochs")
    return head + canvas.lines()


def title(data: TrainingCurvesData) -> Line:
    """Return the first run's accuracy."""
    return _heads(data, _rows(data))[0]


def table(data: TrainingCurvesData) -> DataTable:
    """Return the accuracies by epoch."""
    series = [
        (run.label, dict(curve.tolist()), Column("", (), "%", 2, run.role))
        for run, curve in zip(data.runs, _rows(data), strict=True)
    ]
    return merged(series, Column("epoch", ()))


def _rows(data: TrainingCurvesData) -> list[_Floats]:
    return [percent_rows(run.epochs, 2, sys.float_info.max) for run in data.runs]


def _heads(data: TrainingCurvesData, curves: Sequence[_Floats]) -> tuple[Line, Line]:
    """Return the title and the legend."""
    drawn = zip(data.runs, curves, strict=True)
    parts = [_summary(run, curve, data.images) for run, curve in drawn]
    split = Span(f"  {clean(data.split)} accuracy", "label")
    return (Span(f"{LABEL} · ", "title"), *parts[:1]), (*parts[1:], split)


def _accuracies(curves: Sequence[_Floats], dense: float, rows: int) -> Axis:
    """Return an axis without the low first epochs, which would flatten the rest."""
    values = np.concatenate([[dense], *(curve[:, 1] for curve in curves)])
    values = np.sort(values[np.isfinite(values)])[::-1]
    if not len(values):
        return percent_axis(0, 100, rows)
    reach = max(_REACH, _TIMES * float(values[0] - values[(len(values) - 1) // 2]))
    low = values[values >= values[0] - reach][-1]
    margin = 0.1 * max(float(values[0] - low), 0.5)
    return percent_axis(low - margin, values[0] + margin, rows)


def _draw_curve(canvas: Canvas, run: RunCurve, curve: _Floats) -> None:
    x, y = curve[:, 0], curve[:, 1]
    canvas.line(*cut_below(x, y, canvas.y.lower), run.role)
    below = y < canvas.y.lower
    canvas.outside(x[below], y[below], run.role)
    canvas.marks(x[~below], y[~below], run.sign, run.role)


def _write_lowest(canvas: Canvas, cells: Cells, run: RunCurve, curve: _Floats) -> None:
    """Write the first value below the axis beside its mark, which alone does not say how far."""
    for x, y in curve[curve[:, 1] < canvas.y.lower][:1].tolist():
        column, row = cells.reserve_point(x, y)
        text = f"{y:.1f} %"
        starts = [Cell(column + 2, row), Cell(column - len(text) - 1, row)]
        cells.write(text, starts, run.role, hides=False)


def _summary(run: RunCurve, curve: _Floats, images: int) -> Span:
    """Return the accuracy after the best epoch or, if unknown, after the last one."""
    name = f"{run.sign} {cut(clean(run.label), 20)}"
    known = curve[np.isfinite(curve[:, 1])]
    if not len(known):
        return Span(f"{name} –", run.role)
    best = known[known[:, 0] == run.best] if run.best is not None else known[:0]
    epoch, accuracy = (best if len(best) else known[-1:])[0].tolist()
    which = "best" if len(best) else "last"
    return Span(f"{name} {score_on(accuracy, images)} % (epoch {epoch:g}, {which})", run.role)
