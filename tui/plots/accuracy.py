"""The accuracy plot: how accuracy recovers during fine-tuning, and what the recipe does."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tui.plots.data_table import Column, DataTable, merged
from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.heading import heading
from tui.plots.drawing.percents import percent_axis, percent_or_nan, percent_rows, short_percent
from tui.plots.drawing.strips import Strip, draw_strips, strip_rows
from tui.plots.drawing.ticks import epoch_axis
from tui.plots.view import PLAIN, View
from tui.text.format import half_width, score_on
from tui.text.lines import Line, Lines, Span, blank, fits

LABEL = "Accuracy"
_VALIDATION, _PENDING, _BEST, _DENSE, _BATCH = "●", "○", "◆", "╌", "⠒"
# Before a value is known: this far below the dense accuracy or, without one, this accuracy.
_LEAST_LOSS, _LOWEST = 1.0, 90.0
# Batches of so many epochs count as one value of the axis, their best.
_WINDOW = 1.0
_LIVE = 5
# The columns of the table that the left axis measures.
_ACCURACIES = (1, 2)
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AccuracyData:
    """Data of the accuracy plot; accuracies are in percent, NaN is a gap.

    Attributes:
        epochs: Number of planned epochs.
        validation: Epoch and accuracy after it.
        live: Fractional epoch, batch accuracy, loss, learning rate, and sparsity as a fraction.
        dense: Accuracy of the net before pruning.
        best: Epoch and accuracy of the best net so far.
        not_final: Epochs that cannot be best because they ended before the full plan.
        images: On which validation is measured; 0 if unknown.
        expected: An accuracy that may be reached, if `dense` is unknown.
        highest_rate: The highest learning rate of the recipe; 0 if unknown.
        prunes: Whether the sparsity is of interest.
    """

    epochs: int
    validation: tuple[tuple[float, float], ...] = ()
    live: tuple[tuple[float, ...], ...] = ()
    dense: float | None = None
    best: tuple[float, float] | None = None
    not_final: tuple[float, ...] = ()
    images: int = 0
    expected: float | None = None
    highest_rate: float = 0.0
    prunes: bool = True


def draw(data: AccuracyData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw accuracies over epochs, or a hint in the middle if there are none."""
    if not fits(width, height):
        return blank(width, height)
    curves = _Curves.of(data)
    strips = _strips(curves, data) if curves.started else ()
    top = len(heading(_title(curves), (), width, height, view))
    below = strip_rows(len(strips), height - top)
    head = heading(_title(curves), _legend(curves, below > 0), width, height, view)
    rows = height - top - below
    y = percent_axis(*_limits(curves, data), rows - 2)
    canvas = Canvas(width, rows, epoch_axis(curves.epochs, width), y)
    _draw_lines(canvas, curves)
    if view.row is not None:
        _draw_cursor(canvas, table(data), view)
    _draw_marks(canvas, curves)
    if not curves.started:
        canvas.hint(hint)
    return head + canvas.lines() + draw_strips(strips, canvas, width, below)


def title(data: AccuracyData) -> Line:
    """Return a title with the most important part first, since narrow plots drop the last ones."""
    return _title(_Curves.of(data))


def _title(curves: "_Curves") -> Line:
    if not curves.started:
        return (Span(f"{LABEL} while training", "title"),)
    now = max([*curves.validation[-1:, 0], *curves.live[-1:, 0]])
    parts = [Span(f"{LABEL} · epoch {now:.1f} of {curves.epochs}", "title")]
    for epoch, accuracy in curves.best.tolist():
        parts.append(Span(f" · {_BEST} best {curves.score(accuracy)} (epoch {epoch:g})", "best"))
    for _, accuracy, loss, _, _ in curves.live[-1:].tolist():
        parts.append(Span(f" · {_BATCH} batch {accuracy:.1f} %", "batch"))
        parts.append(Span(f" · loss {loss:.3f}" if loss < 1e4 else f" · loss {loss:.1e}", "loss"))
    return tuple(parts)


def table(data: AccuracyData) -> DataTable:
    """Return accuracies, loss, learning rate and sparsity by epoch."""
    curves = _Curves.of(data)
    live = curves.live.T
    x = live[0].tolist()

    def points(values: _Floats) -> dict[float, float]:
        return dict(zip(x, values.tolist(), strict=True))

    validation = dict(curves.validation.tolist())
    series = [
        ("validation", validation, Column("", (), "%", 2, "validation")),
        ("batch", points(live[1]), Column("", (), "%", 2, "batch")),
        ("loss", points(live[2]), Column("", (), "", 4, "loss")),
        ("learning rate", points(live[3]), Column("", (), "", 6, "rate")),
    ]
    if data.prunes:
        series.append(("sparsity", points(100 * live[4]), Column("", (), "%", 2, "ramp")))
    return merged(series, Column("epoch", (), "", 2))


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
        live = data.live
        if live and len(live[0]) < _LIVE:
            live = tuple((*row, *(math.nan,) * (_LIVE - len(row))) for row in live)
        return cls(
            epochs,
            percent_rows(data.validation, 2, epochs),
            percent_rows(live, _LIVE, epochs),
            dense[np.isfinite(dense)],
            best[np.isfinite(best[:, 1])],
            np.array(data.not_final, dtype=float),
            data.images,
        )

    @property
    def started(self) -> bool:
        return bool(len(self.validation) or len(self.live))

    @property
    def half(self) -> _Floats:
        """Half the widths of the intervals of the validation accuracies; 0 on many images."""
        values = self.validation[:, 1].tolist()
        return np.array([half_width(y, self.images) if y == y else 0.0 for y in values])

    def score(self, accuracy: float) -> str:
        return f"{score_on(accuracy, self.images)} %"


def _limits(curves: _Curves, data: AccuracyData) -> tuple[float, float]:
    """Return the lowest and the highest accuracy to show; more data can only widen them.

    The first guess is as far below the dense accuracy as that is below 100 %. Of the batches, only
    the best of an epoch counts once that is over: the low first ones would flatten the rest.
    """
    expected = percent_or_nan(data.dense if data.dense is not None else data.expected)
    low = high = _LOWEST
    if math.isfinite(expected):
        low, high = expected - max(_LEAST_LOSS, 100 - expected), expected
    batches = _best_in_windows(curves.live)
    validation, half = curves.validation[:, 1], curves.half
    values = np.concatenate((validation - half, np.minimum(validation + half, 100), batches))
    values = values[np.isfinite(values)]
    low, high = min([low, *values.tolist()]), max([high, *values.tolist()])
    live = curves.live[:, 1]
    return low, max([high, *live[np.isfinite(live)].tolist()])


def _best_in_windows(live: _Floats) -> _Floats:
    """Return the best batch of each window that is over."""
    live = live[np.isfinite(live[:, 1])]
    if not len(live):
        return np.zeros(0)
    windows = np.floor(live[:, 0] / _WINDOW)
    over = live[windows < windows[-1]]
    _, starts = np.unique(windows[windows < windows[-1]], return_index=True)
    best: _Floats = np.maximum.reduceat(over[:, 1], starts) if len(over) else np.zeros(0)
    return best


def _draw_lines(canvas: Canvas, curves: _Curves) -> None:
    x, y = curves.validation.T
    half = curves.half
    if half.any():
        canvas.band(x, y - half, y + half, "band")
    for dense in curves.dense.tolist():
        canvas.level(dense, _DENSE, "dense")
    # A gap below the axis: a line along its bottom would look like a measurement.
    batches = np.where(curves.live[:, 1] < canvas.y.lower, np.nan, curves.live[:, 1])
    canvas.line(curves.live[:, 0], batches, "batch")
    validation = np.where(y < canvas.y.lower, np.nan, y)
    canvas.line(x, validation, "validation")


def _draw_marks(canvas: Canvas, curves: _Curves) -> None:
    x, y = curves.validation.T
    pending, inside = np.isin(x, curves.not_final), y >= canvas.y.lower
    canvas.marks(x[~pending & inside], y[~pending & inside], _VALIDATION, "validation")
    canvas.marks(x[pending & inside], y[pending & inside], _PENDING, "muted")
    canvas.marks(curves.best[:, 0], curves.best[:, 1], _BEST, "best")
    for at, batch, *_ in curves.live[-1:].tolist():
        if batch < canvas.y.lower:
            canvas.outside([at], [batch], "batch")
            column = canvas.x.cell(at, canvas.columns)
            canvas.text(column + 1, 0, f" {batch:.1f} %", "batch")


def _draw_cursor(canvas: Canvas, numbers: DataTable, view: View) -> None:
    """Point out a place; on the value, if that is an accuracy."""
    x, value = numbers.number(view.row, 0), numbers.number(view.row, view.column)
    canvas.cursor(x, value if view.column in _ACCURACIES else math.nan)


def _strips(curves: _Curves, data: AccuracyData) -> tuple[Strip, ...]:
    """Return what the recipe does below the accuracies: its learning rate and its sparsity."""
    x, rates, sparsities = curves.live[:, 0], curves.live[:, 3], curves.live[:, 4]
    strips = []
    if data.prunes and np.isfinite(sparsities).any():
        strips.append(Strip(x, sparsities, 1.0, "100 %", "ramp"))
    known = rates[np.isfinite(rates)]
    if known.any():
        top = max(data.highest_rate, float(known.max()))
        strips.append(Strip(x, rates, top, f"{top:.2g}", "rate"))
    return tuple(strips)


def _legend(curves: _Curves, strips: bool) -> Line:
    """Return what is drawn, and the last values; without strips, theirs without a sign.

    The dense accuracy is first: its place is the same during a whole training, which no place among
    the curves is.
    """
    dense = [Span(f"{_DENSE} dense {curves.score(y)}", "dense") for y in curves.dense.tolist()]
    if not curves.started:
        return tuple(dense)
    gap, strip = "  " * bool(dense), "▄ " * strips
    last = "".join(f" {curves.score(accuracy)}" for accuracy in curves.validation[-1:, 1].tolist())
    legend = [*dense, Span(f"{gap}{_VALIDATION} validation{last}", "validation")]
    for *_, rate, sparsity in curves.live[-1:].tolist():
        if math.isfinite(sparsity) and sparsity > 0:
            legend.append(Span(f"  {strip}sparsity {short_percent(100 * sparsity)}", "ramp"))
        if rate > 0:
            legend.append(Span(f"  {strip}learning rate {rate:.2g}", "rate"))
    if np.isin(curves.validation[:, 0], curves.not_final).any():
        legend.append(Span(f"  {_PENDING} before full sparsity", "muted"))
    return tuple(legend)
