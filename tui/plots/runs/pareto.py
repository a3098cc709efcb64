"""The Pareto plot: accuracy against size for all runs."""

import math
from dataclasses import dataclass, replace

from core.experiments.pareto import front
from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.percents import percent_axis, percent_or_nan
from tui.plots.drawing.placing import Cell, Cells, cut_below
from tui.plots.drawing.ticks import Axis, Tick
from tui.text.format import half_width, score_on
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits, header

_FRONT, _OTHER, _STOPPED, _DENSE, _BELOW, _LINE = "◆", "○", "×", "■", "▾", "╌"
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


def draw(data: ParetoData, width: int, height: int, hint: str = "press f to fine-tune") -> Lines:
    """Draw accuracies over ratios, or a hint in the middle if there are no runs."""
    if not fits(width, height):
        return blank(width, height)
    rows = 2 if height >= 8 else 1
    runs = tuple(filter(None, map(_drawable, data.runs)))
    chart = _Chart(runs, percent_or_nan(data.dense), data.images, width, height - rows)
    chart.draw_lines()
    chart.draw_marks()
    chart.write_texts()
    title, legend = _title(runs, chart.best, data.images), _legend(chart, clean(data.split))
    return header(title, legend, width, rows) + chart.lines(hint)


def _drawable(run: RunMark) -> RunMark | None:
    accuracy, ratio = percent_or_nan(run.accuracy), run.ratio or math.nan
    if math.isnan(accuracy) or not (math.isfinite(ratio) and ratio > 0):
        return None
    label = cut(clean(run.label), _LONGEST)
    return replace(run, label=label, ratio=min(max(1.0, ratio), _MOST), accuracy=accuracy)


class _Chart:
    """A canvas with runs, and which of its cells are free for text."""

    def __init__(
        self, runs: tuple[RunMark, ...], dense: float, images: int, width: int, height: int
    ) -> None:
        self.runs, self._dense, self._images = runs, dense, images
        self.best = front([(run.ratio, run.accuracy) for run in runs])
        self._rows = height - 2
        x, self._y = (
            _ratios(runs, width - 8),
            _accuracies(runs, self.best, dense, images, self._rows),
        )
        self._canvas = Canvas(width, height, x, self._y)
        self._cells = Cells(self._canvas)

    def draw_lines(self) -> None:
        """Draw the dense net's accuracy, and a line along the front."""
        if math.isfinite(self._dense):
            self._canvas.horizontal(self._dense, _LINE, "dense")
        xs = [math.log10(self.runs[index].ratio) for index in self.best]
        x, y = cut_below(xs, [self.runs[index].accuracy for index in self.best], self._y.lower)
        self._canvas.line(x, y, "front")
        self._cells.avoid(self._cells.along(x, y))

    def draw_marks(self) -> None:
        """Mark every run, the most important in front."""
        for index in reversed(self._order()):
            run = self.runs[index]
            x = math.log10(run.ratio)
            self._canvas.marks([x], [run.accuracy], *self.style(index))
            self._cells.reserve_point(x, run.accuracy)

    def write_texts(self) -> None:
        """Label the dense accuracy and the most important runs that there is room for."""
        order = self._order()
        first = [index for index in order if self.runs[index].chosen or self.runs[index].compared]
        self._write_labels(first)
        if math.isfinite(self._dense) and self._rows >= 3:
            text = f" dense {score_on(self._dense, self._images)} % "
            room, row = self._canvas.columns - len(text), self._canvas.row(self._dense)
            starts = [Cell(column, row) for column in (room - 1, 1, room // 2)]
            self._cells.write(text, starts, "dense")
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
        return (_BELOW if run.accuracy < self._y.lower else mark), role

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
            cell = self._cells.reserve_point(math.log10(run.ratio), run.accuracy)
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
    return percent_axis(min(low - _MARGIN, top - _LEAST), top, rows)


def _title(runs: tuple[RunMark, ...], best: tuple[int, ...], images: int) -> Line:
    """Return the selected run's ratio and accuracy, or the number of runs."""
    chosen = next((index for index, run in enumerate(runs) if run.chosen), None)
    if chosen is None:
        count = f"{len(runs)} run{'s' * (len(runs) != 1)}, {len(best)} on the Pareto front"
        return (Span(count if runs else "accuracy against size", "title"),)
    run = runs[chosen]
    title = [Span(run.label, "title"), Span(f": {_summary(run, images)}", "chosen")]
    if chosen in best:
        title.append(Span(", on the Pareto front", "best"))
    else:
        rivals = (runs[index] for index in best)
        better = next(r for r in rivals if r.ratio >= run.ratio and r.accuracy >= run.accuracy)
        title.append(Span(f", beaten by {better.label}: {_summary(better, images)}", "best"))
    others = (other for other in runs if other.compared)
    texts = (f", {_COMPARED} {other.label}: {_summary(other, images)}" for other in others)
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
        (_BELOW, "below", "label"),
    )
    first = Span(f"{split} accuracy:".lstrip(), "label")
    return (first, *(Span(f"  {m} {text}", role) for m, text, role in known if m in marks))
