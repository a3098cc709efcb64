"""The accuracy of two runs, epoch by epoch."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.percents import percent_axis, percent_or_nan, percent_rows
from tui.plots.drawing.placing import cut_below
from tui.plots.drawing.ticks import Axis, epoch_axis
from tui.text.format import score_on
from tui.text.lines import Lines, Span, blank, clean, cut, fits, header

_DENSE, _BELOW = "╌", "▾"
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


def draw(data: TrainingCurvesData, width: int, height: int) -> Lines:
    """Draw accuracies over epochs."""
    if not fits(width, height):
        return blank(width, height)
    rows = 2 if height >= 8 else 1
    curves = [percent_rows(run.epochs, 2, sys.float_info.max) for run in data.runs]
    dense = percent_or_nan(data.dense)
    last = max([1.0, *(float(curve[-1, 0]) for curve in curves if len(curve))])
    y = _accuracies(curves, dense, height - rows - 2)
    canvas = Canvas(width, height - rows, epoch_axis(last, width), y)
    if math.isfinite(dense) and dense >= canvas.y.lower:
        canvas.horizontal(dense, _DENSE, "dense")
        canvas.text(1, canvas.row(dense), f" dense {score_on(dense, data.images)} % ", "dense")
    for run, curve in reversed(list(zip(data.runs, curves, strict=True))):
        _draw_curve(canvas, run, curve)
    if not any(map(len, curves)):
        canvas.hint("neither run recorded its epochs")
    drawn = zip(data.runs, curves, strict=True)
    parts = [_summary(run, curve, data.images) for run, curve in drawn]
    first, others = parts[:1] or [Span("", "title")], parts[1:]
    split = Span(f"  {clean(data.split)} accuracy", "label")
    return header(first, (*others, split), width, rows) + canvas.lines()


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
    canvas.marks(x[below], y[below], _BELOW, run.role)
    canvas.marks(x[~below], y[~below], run.sign, run.role)


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
