"""The Pareto plot: accuracy against size for all runs."""

import math
from dataclasses import dataclass, replace

from core.experiments.pareto import front
from tui.keys.keymap import with_keys
from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.canvas import BAND, BELOW, Canvas
from tui.plots.drawing.heading import heading
from tui.plots.drawing.percents import percent_axis, percent_or_nan
from tui.plots.drawing.placing import Cell, Cells, cut_below
from tui.plots.drawing.ticks import Axis, Tick, linear_ticks, nice_step
from tui.plots.view import PLAIN, View
from tui.text.format import half_width, score_on
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits

LABEL = "Runs"
_FRONT, _OTHER, _STOPPED, _DENSE, _LINE = "◆", "○", "×", "■", "╌"
_CHOSEN, _COMPARED, _POINTER = "◉", "◎", "▸"
_NAME = "ratio"
_MOST = 1e6
# What is visible below the best accuracy: so many points, or times the front's median distance.
_REACH, _TIMES = 2.0, 3.0
# Points below the lowest of them, and the least span of the axis in points.
_MARGIN, _LEAST = 0.2, 1.0
_LONGEST = 20


@dataclass(frozen=True, slots=True)
class RunMark:
    """One run.

    Attributes:
        ratio: Compression ratio relative to the dense net.
        accuracy: In percent, on the split of the plot.
        kind: `finetuned`, `stopped` early, or the `dense` net itself.
        compared: Whether the selected run is compared with it.
    """

    label: str
    ratio: float
    accuracy: float
    kind: str = "finetuned"
    chosen: bool = False
    compared: bool = False


@dataclass(frozen=True, slots=True)
class ParetoData:
    """Runs, of which those without a ratio or an accuracy are omitted; accuracies in percent.

    Attributes:
        images: On which accuracies were measured; 0 if unknown.
    """

    runs: tuple[RunMark, ...]
    split: str = ""
    dense: float | None = None
    images: int = 0


def draw(
    data: ParetoData,
    width: int,
    height: int,
    hint: str = "press {fine-tune} to fine-tune",
    view: View = PLAIN,
) -> Lines:
    """Draw accuracies over ratios, or a hint in the middle if there are no runs."""
    if not fits(width, height):
        return blank(width, height)
    runs, heads = _drawn(data), title(data)
    rows = height - len(heading(heads, (), width, height, view))
    dense = percent_or_nan(data.dense)
    chart = _Chart(runs, dense, data.images, width, rows, linear=view.other_scale)
    chart.draw_lines()
    chart.draw_marks()
    if view.row is not None:
        numbers = table(data)
        chart.draw_cursor(numbers.number(view.row, 0), numbers.number(view.row, 1))
    chart.write_texts()
    legend = _legend(chart, clean(data.split))
    return heading(heads, legend, width, height, view) + chart.lines(with_keys(hint))


def title(data: ParetoData) -> Line:
    """Return the selected run's ratio and accuracy, or the number of runs."""
    runs = _drawn(data)
    best = front([(run.ratio, run.accuracy) for run in runs])
    return _title(runs, best, data.images)


def table(data: ParetoData) -> DataTable:
    """Return the ratio and the accuracy of each run."""
    runs = sorted(_drawn(data), key=lambda run: (run.ratio, -run.accuracy))
    halves = [half_width(run.accuracy, data.images) for run in runs]
    columns = (
        Column("ratio", [run.ratio for run in runs], "x", 2),
        Column("accuracy", [run.accuracy for run in runs], "%", 2, "chosen"),
        *([Column("±", halves, "points", 2)] if any(halves) else []),
        Column("run", [run.label for run in runs]),
        Column("kind", [run.kind for run in runs]),
    )
    return DataTable(columns, extras=len(columns) - 2)


def _drawn(data: ParetoData) -> tuple[RunMark, ...]:
    return tuple(filter(None, map(_drawable, data.runs)))


def _drawable(run: RunMark) -> RunMark | None:
    accuracy, ratio = percent_or_nan(run.accuracy), run.ratio or math.nan
    if math.isnan(accuracy) or not (math.isfinite(ratio) and ratio > 0):
        return None
    label = cut(clean(run.label), _LONGEST)
    return replace(run, label=label, ratio=min(max(1.0, ratio), _MOST), accuracy=accuracy)


class _Chart:
    """A canvas with runs, and which of its cells are free for text."""

    def __init__(
        self,
        runs: tuple[RunMark, ...],
        dense: float,
        images: int,
        width: int,
        height: int,
        linear: bool = False,
    ) -> None:
        self.runs, self._dense, self._images = runs, dense, images
        self.best = front([(run.ratio, run.accuracy) for run in runs])
        self._rows = height - 2
        self._linear = linear
        x = _linear_ratios(runs, width - 8) if linear else _ratios(runs, width - 8)
        self._y = _accuracies(runs, self.best, dense, images, self._rows)
        self._canvas = Canvas(width, height, x, self._y)
        self._cells = Cells(self._canvas)

    def draw_lines(self) -> None:
        """Draw the dense net's accuracy, and a line along the front with its interval."""
        self._canvas.level(self._dense, _LINE, "dense")
        xs = [self._place(self.runs[index].ratio) for index in self.best]
        ys = [self.runs[index].accuracy for index in self.best]
        halves = [half_width(y, self._images) for y in ys]
        if self.intervals:
            bounds = list(zip(ys, halves, strict=True))
            lows, highs = [y - half for y, half in bounds], [y + half for y, half in bounds]
            self._canvas.band(xs, lows, highs, "band")
        x, y = cut_below(xs, ys, self._y.lower)
        self._canvas.line(x, y, "front")
        self._cells.avoid(self._cells.along(x, y))

    def draw_marks(self) -> None:
        """Mark every run, the most important in front."""
        for index in reversed(self._order()):
            run = self.runs[index]
            x = self._place(run.ratio)
            self._canvas.marks([x], [run.accuracy], *self.style(index))
            self._cells.reserve_point(x, run.accuracy)

    def draw_cursor(self, ratio: float, accuracy: float) -> None:
        if ratio > 0:
            self._canvas.cursor(self._place(ratio), accuracy)

    @property
    def intervals(self) -> bool:
        """Whether the accuracies have intervals."""
        return any(half_width(run.accuracy, self._images) for run in self.runs)

    def _place(self, ratio: float) -> float:
        return ratio if self._linear else math.log10(ratio)

    def write_texts(self) -> None:
        """Label the dense accuracy and the most important runs that there is room for."""
        order = self._order()
        first = [index for index in order if self.runs[index].chosen or self.runs[index].compared]
        self._write_labels(first)
        if math.isfinite(self._dense) and self._rows >= 3:
            text = f"dense {score_on(self._dense, self._images)} %"
            self._cells.write_level(self._dense, text, "dense")
        self._write_labels([index for index in self.best[::-1] if index not in first])

    def style(self, index: int) -> tuple[str, str]:
        """Return the character and the role of a run; the first that apply."""
        run = self.runs[index]
        styles = (
            (run.chosen, _CHOSEN, "chosen"),
            (run.compared, _COMPARED, "compared"),
            (run.kind == "dense", _DENSE, "dense"),
            (index in self.best, _FRONT, "best"),
            (run.kind == "stopped", _STOPPED, "muted"),
            (True, _OTHER, "muted"),
        )
        mark, role = next((mark, role) for applies, mark, role in styles if applies)
        return (BELOW if run.accuracy < self._y.lower else mark), role

    def lines(self, hint: str) -> Lines:
        if not self.runs:
            self._canvas.hint(hint)
        return self._canvas.lines()

    def _order(self) -> list[int]:
        """Return the runs: the selected one, the compared one, the front, then the others."""
        return sorted(
            range(len(self.runs)),
            key=lambda i: (not self.runs[i].chosen, not self.runs[i].compared, i not in self.best),
        )

    def _write_labels(self, indices: list[int]) -> None:
        for index in indices:
            run = self.runs[index]
            text = f" {_POINTER if run.chosen else ''}{run.label} "
            if run.accuracy < self._y.lower:  # the axis does not say where it is
                text += f"{score_on(run.accuracy, self._images)} % "
            cell = self._cells.reserve_point(self._place(run.ratio), run.accuracy)
            first = run.chosen or run.compared
            starts = _around(cell, len(text))[: None if first else 4]
            self._cells.write(text, starts, self.style(index)[1], hides=first)


def _around(cell: Cell, length: int) -> tuple[Cell, ...]:
    """Return the cells where a label can start; last those below, among the dominated runs."""
    column, row = cell
    right, left, middle = column + 1, column - length, column - length // 2
    starts = ((right, row), (right, row + 1), (middle, row + 1), (left, row))
    return tuple(Cell(*start) for start in (*starts, (left, row - 1), (middle, row - 1)))


def _ratios(runs: tuple[RunMark, ...], columns: int) -> Axis:
    """Return a logarithmic axis from the dense net to beyond the smallest net."""
    most = max((run.ratio for run in runs), default=10.0)
    rounds = [factor * 10.0**power for power in range(8) for factor in (1, 2, 5)]
    last = next(ratio for ratio in rounds if ratio >= max(10.0, 1.2 * most))
    upper = math.log10(last)
    shown = [ratio for ratio in rounds if ratio <= last]
    # Of all steps, doubling takes the least room.
    if columns / upper * math.log10(2) < len(f"{last:,.0f}x") + 2:
        shown = shown[::3]
    return Axis(0, upper, tuple(Tick(math.log10(r), f"{r:,.0f}x") for r in shown), _NAME)


def _linear_ratios(runs: tuple[RunMark, ...], columns: int) -> Axis:
    """Return a linear axis from 0 to beyond the smallest net."""
    most = 1.05 * max((run.ratio for run in runs), default=10.0)
    step = nice_step(most, columns // 10)
    return Axis(0, most, linear_ticks(0, most, step, "x"), _NAME)


def _accuracies(
    runs: tuple[RunMark, ...], best: tuple[int, ...], dense: float, images: int, rows: int
) -> Axis:
    """Return an axis over the upper part of the front, and what few images cannot tell from it."""
    values = [run.accuracy for run in runs] + [dense] * math.isfinite(dense)
    if not values:
        return percent_axis(0, 100, rows)
    top = max(values)
    lost = sorted(top - runs[index].accuracy for index in best) or [0.0]
    reach = max(_REACH, _TIMES * lost[(len(lost) - 1) // 2], 2 * half_width(top, images))
    low = min(value for value in values if value >= top - reach)
    below = max(_MARGIN, half_width(low, images))
    return percent_axis(min(low - below, top - _LEAST), top + half_width(top, images), rows)


def _title(runs: tuple[RunMark, ...], best: tuple[int, ...], images: int) -> Line:
    """Return the selected run's ratio and accuracy, or the number of runs."""
    chosen = next((index for index, run in enumerate(runs) if run.chosen), None)
    if chosen is None:
        count = f"{len(runs)} run{'s' * (len(runs) != 1)}, {len(best)} on the Pareto front"
        return (Span(f"{LABEL} · {count if runs else 'accuracy against size'}", "title"),)
    run = runs[chosen]
    title = [Span(f"{LABEL} · {run.label}", "title"), Span(f": {_summary(run, images)}", "chosen")]
    if chosen in best:
        title.append(Span(" · on the Pareto front", "best"))
    else:
        rivals = (runs[index] for index in best)
        better = next(r for r in rivals if r.ratio >= run.ratio and r.accuracy >= run.accuracy)
        title.append(Span(f" · beaten by {better.label}: {_summary(better, images)}", "best"))
    others = (other for other in runs if other.compared)
    texts = (f" · {_COMPARED} {other.label}: {_summary(other, images)}" for other in others)
    return (*title, *(Span(text, "compared") for text in texts))


def _summary(run: RunMark, images: int) -> str:
    return f"{run.ratio:,.1f}x, {score_on(run.accuracy, images)} %"


def _legend(chart: _Chart, split: str) -> Line:
    if not chart.runs:
        return ()
    marks = {chart.style(index)[0] for index in range(len(chart.runs))}
    known = (
        (_FRONT, "front", "best"),
        (_OTHER, "others", "muted"),
        (_STOPPED, "stopped early", "muted"),
        (_DENSE, "dense", "dense"),
        (BELOW, "below", "label"),
    )
    first = Span(f"{split} accuracy:".lstrip(), "label")
    interval = (Span(f"  {BAND} 95 % confidence", "band"),) if chart.intervals else ()
    shown = (Span(f"  {mark} {text}", role) for mark, text, role in known if mark in marks)
    return (first, *shown, *interval)
