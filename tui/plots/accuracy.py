"""The accuracy plot: how accuracy recovers during fine-tuning."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.percents import percent_or_nan, percent_rows, percent_ticks
from tui.plots.drawing.ticks import Axis, epoch_axis
from tui.text.format import score_on
from tui.text.lines import Line, Lines, Span, blank, fits, header

_VALIDATION, _PENDING, _BEST, _DENSE, _BATCH = "●", "○", "◆", "╌", "⠒"
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AccuracyData:
    """Data of the accuracy plot; accuracies are in percent, NaN is a gap.

    Attributes:
        epochs: Number of planned epochs.
        validation: Epoch and accuracy after it.
        live: Fractional epoch, batch accuracy and loss.
        dense: Accuracy of the net before pruning.
        best: Epoch and accuracy of the best net so far.
        not_final: Epochs that cannot be best because they ended before the full plan.
    """

    epochs: int
    validation: tuple[tuple[float, float], ...] = ()
    live: tuple[tuple[float, float, float], ...] = ()
    dense: float | None = None
    best: tuple[float, float] | None = None
    not_final: tuple[float, ...] = ()
    images: int = 0


def draw(data: AccuracyData, width: int, height: int, hint: str = "") -> Lines:
    """Draw accuracies over epochs, or a hint in the middle if there are none."""
    if not fits(width, height):
        return blank(width, height)
    rows = 2 if height >= 8 else 1
    curves = _Curves.of(data)
    lower, upper, step = _limits(curves, height - rows - 2)
    y = Axis(lower, upper, percent_ticks(lower, upper, step))
    canvas = Canvas(width, height - rows, epoch_axis(curves.epochs, width), y)
    _draw_lines(canvas, curves)
    _draw_marks(canvas, curves)
    if not curves.started:
        canvas.hint(hint)
    return header(_title(curves), _legend(curves), width, rows) + canvas.lines()


@dataclass(frozen=True, slots=True)
class _Curves:
    """The data as arrays of drawable rows, NaN for gaps."""

    epochs: int
    validation: _Floats
    live: _Floats
    dense: _Floats
    best: _Floats
    not_final: _Floats
    images: int

    @classmethod
    def of(cls, data: AccuracyData) -> Self:
        epochs = max(1, data.epochs)
        dense = np.array([percent_or_nan(data.dense)])
        best = percent_rows([] if data.best is None else [data.best], 2, epochs)
        return cls(
            epochs,
            percent_rows(data.validation, 2, epochs),
            percent_rows(data.live, 3, epochs),
            dense[np.isfinite(dense)],
            best[np.isfinite(best[:, 1])],
            np.array(data.not_final, dtype=float),
            data.images,
        )

    @property
    def started(self) -> bool:
        return bool(len(self.validation) or len(self.live))

    def score(self, accuracy: float) -> str:
        return f"{score_on(accuracy, self.images)} %"


def _limits(curves: _Curves, rows: int) -> tuple[float, float, float]:
    """Return the limits of the axis, and a step.

    Only the best batch counts: the low first ones would flatten the rest. The limits are multiples
    of the step, so they stay put between redraws.
    """
    batches = curves.live[:, 1]
    batches = np.sort(batches[np.isfinite(batches)])
    values = np.concatenate((curves.validation[:, 1], batches[-1:], curves.dense))
    values = values[np.isfinite(values)]
    if len(values):
        # Before the first epoch ends, accuracies can only be guessed.
        low, high = values.min() - (0 if len(curves.validation) else 5), values.max()
        for step in (0.5, 1, 2, 5, 10, 20, 25):
            lower = max(0, math.floor(low / step - 0.25)) * step
            upper = min(100, math.ceil(high / step + 0.1) * step)
            if (upper - lower) / step < min(rows, 6):
                return lower, upper, step
    return 0, 100, 50


def _draw_lines(canvas: Canvas, curves: _Curves) -> None:
    for dense in curves.dense.tolist():
        canvas.horizontal(dense, _DENSE, "dense")
    # A gap below the axis: a line along its bottom would look like a measurement.
    batches = np.where(curves.live[:, 1] < canvas.y.lower, np.nan, curves.live[:, 1])
    canvas.line(curves.live[:, 0], batches, "batch")
    canvas.line(curves.validation[:, 0], curves.validation[:, 1], "validation")
    for dense in curves.dense.tolist():
        canvas.text(1, canvas.row(dense), f" dense {curves.score(dense)} ", "dense")


def _draw_marks(canvas: Canvas, curves: _Curves) -> None:
    x, y = curves.validation.T
    pending = np.isin(x, curves.not_final)
    canvas.marks(x[~pending], y[~pending], _VALIDATION, "validation")
    canvas.marks(x[pending], y[pending], _PENDING, "muted")
    canvas.marks(curves.best[:, 0], curves.best[:, 1], _BEST, "best")


def _title(curves: _Curves) -> Line:
    """Return a title with the most important part first, since narrow plots drop the last ones."""
    if not curves.started:
        return (Span("accuracy while training", "title"),)
    now = max([*curves.validation[-1:, 0], *curves.live[-1:, 0]])
    title = [Span(f"epoch {now:.1f} of {curves.epochs}", "title")]
    for epoch, accuracy in curves.best.tolist():
        title.append(Span(f", {_BEST} best {curves.score(accuracy)} (epoch {epoch:g})", "best"))
    for _, accuracy, loss in curves.live[-1:].tolist():
        title.append(Span(f", {_BATCH} batch {accuracy:.1f} %", "batch"))
        title.append(Span(f", loss {loss:.3f}" if loss < 1e4 else f", loss {loss:.1e}", "loss"))
    return tuple(title)


def _legend(curves: _Curves) -> Line:
    if not curves.started:
        return ()
    last = "".join(f" {curves.score(accuracy)}" for accuracy in curves.validation[-1:, 1].tolist())
    legend = [Span(f"accuracy: {_VALIDATION} validation{last}", "validation")]
    if np.isin(curves.validation[:, 0], curves.not_final).any():
        legend.append(Span(f"  {_PENDING} before full sparsity", "muted"))
    return tuple(legend)
