"""The Pareto front of a sweep's trials."""

from __future__ import annotations

from tui.plots.runs import pareto
from tui.plots.runs.pareto import ParetoData, RunMark
from tui.plots.view import View
from tui.state.sweep.board import Board
from tui.text.lines import Line, Lines, Span

LABEL = "Front"

EMPTY, OVER = "the front grows as trials end", "no trial ended with a result"
"""What stands in place of an empty front, while the sweep runs and after it."""


def draw(board: Board, dense: float | None, width: int, height: int, *, framed: bool) -> Lines:
    """Accuracy on validation against ratio; `dense` is that of the dense net, in percent."""
    hint = OVER if board.over else EMPTY
    return pareto.draw(data(board, dense), width, height, hint, View(header=not framed))


def title(board: Board, dense: float | None) -> Line:
    """The selected trial, or how many there are."""
    first, *others = pareto.title(data(board, dense))
    return Span(first.text.replace(pareto.LABEL, LABEL, 1), first.role), *others


def data(board: Board, dense: float | None) -> ParetoData:
    """The trials that have ended, by ratio and accuracy."""
    marks, images = [], 0
    selected = board.trials[board.place].number if board.trials else 0
    for number, outcome in board.outcomes.items():
        record = outcome.record
        if record is None or record.stage not in record.measured or record.ratio is None:
            continue
        accuracy = record.measured[record.stage]
        images = accuracy.images[0]
        kind = "stopped" if outcome.stopped else "finetuned"
        mark = RunMark(str(number), record.ratio, accuracy.validation, kind, number == selected)
        marks.append(mark)
    return ParetoData(tuple(marks), "validation", dense, images)
