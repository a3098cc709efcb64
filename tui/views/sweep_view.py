"""A sweep on the screen: the table of its trials, and the Pareto front of those that have ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.events import Accuracy
from core.executors.events import TrialLabel
from core.sweep.live.events import TrialOutcome
from tui.state.sweep.board import Active, Board
from tui.text.format import duration, percent, ratio, score_on
from tui.text.lines import Line, Lines, Span, clean, cut_name

NONE = "–"
CHOSEN = "▶ "
_MOST_PLAN = 32


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One row of the table.

    Attributes:
        how: what it is doing, or how it ended.
        role: of that word.
    """

    trial: TrialLabel
    how: str
    role: str
    epoch: str = ""
    validation: str = ""
    test: str = ""
    ratio: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: wider ranks are left out first."""

    name: str
    width: int
    rank: int
    text: Callable[[TrialRow], str]


_COLUMNS: tuple[_Column, ...] = (
    _Column("trial", 5, 1, lambda row: str(row.trial.number)),
    _Column("seed", 4, 2, lambda row: str(row.trial.seed)),
    _Column("epoch", 6, 3, lambda row: row.epoch),
    _Column("state", 9, 0, lambda row: row.how),
    _Column("validation", 10, 0, lambda row: row.validation),
    _Column("test", 6, 4, lambda row: row.test),
    _Column("ratio", 8, 0, lambda row: row.ratio),
    _Column("run", 5, 5, lambda row: row.run),
)


def row_of(board: Board, trial: TrialLabel) -> TrialRow:
    """The row of a trial."""
    if (outcome := board.outcomes.get(trial.number)) is not None:
        return _ended(outcome)
    for active in board.active:
        if active.trial == trial:
            return _active(active)
    if trial.number in board.stopped:
        return TrialRow(trial, "stopped", "warning")
    return TrialRow(trial, "not run" if board.over else "waiting", "muted")


def _active(active: Active) -> TrialRow:
    done = "running" if active.done is None else f"{active.done:.0%}"
    epoch = f"{active.epoch}/{active.epochs}" if active.epochs else ""
    last = active.validated
    validation = "" if last is None else score_on(last.validation, last.images)
    how = "stopping" if active.stopping else done
    role = "warning" if active.stopping else "working"
    planned = ratio(active.ratio) if active.ratio else ""
    return TrialRow(active.trial, how, role, epoch, validation, "", planned)


def _ended(outcome: TrialOutcome) -> TrialRow:
    accuracy = _accuracy(outcome)
    if accuracy is None or outcome.record is None:
        return TrialRow(outcome.trial, "failed", "error")
    how = "stopped" if outcome.stopped else "done" if outcome.is_new else "recorded"
    validation, test = accuracy.images
    return TrialRow(
        outcome.trial,
        how,
        "warning" if outcome.stopped else "good",
        "",
        score_on(accuracy.validation, validation),
        score_on(accuracy.test, test),
        ratio(outcome.record.ratio or 0.0),
        outcome.run or "",
    )


def _accuracy(outcome: TrialOutcome) -> Accuracy | None:
    record = outcome.record
    return None if record is None else record.measured.get(record.stage)


def table(board: Board, width: int, height: int) -> Lines:
    """The trials around the selected one, a row each, below the names of the columns.

    Without trials, what happens before them or, if the sweep is over, that there were none.
    """
    trials = board.trials
    if not trials and board.over:
        return ((Span("  no trial was started", "hint"),),)
    if not trials:
        done = "" if board.step_done is None else f" {board.step_done:.0%}"
        return ((Span(f"  {board.step or 'starting'}{done}", "hint"),),)
    plan = min(_MOST_PLAN, max(len("plan"), *(len(trial.group) for trial in trials)))
    columns, plan = _fitting(plan, width)
    rows = max(1, height - 1)
    start = min(max(board.place - rows // 2, 0), max(len(trials) - rows, 0))
    head = "".join(f" {column.name.rjust(column.width)}" for column in columns)
    lines: list[Line] = [(Span(f"  {'plan'.ljust(plan)}{head}", "label"),)]
    for place in range(start, min(start + rows, len(trials))):
        row = row_of(board, trials[place])
        lines.append(_line(row, columns, plan, chosen=place == board.place))
    return tuple(lines)


def _fitting(plan: int, width: int) -> tuple[tuple[_Column, ...], int]:
    """The columns that fit beside the plans, and the width of those."""
    columns = _COLUMNS
    least = min(plan, 10)
    for rank in range(max(column.rank for column in columns), 0, -1):
        if _width(columns) + least + len(CHOSEN) <= width:
            break
        columns = tuple(column for column in columns if column.rank != rank)
    return columns, max(4, min(plan, width - _width(columns) - len(CHOSEN)))


def _width(columns: tuple[_Column, ...]) -> int:
    return sum(column.width + 1 for column in columns)


def _line(row: TrialRow, columns: tuple[_Column, ...], plan: int, *, chosen: bool) -> Line:
    role = "chosen" if chosen else "plain"
    spans = [
        Span(CHOSEN if chosen else "  ", "chosen"),
        Span(cut_name(clean(row.trial.group), plan).ljust(plan), role),
    ]
    for column in columns:
        text = f" {column.text(row)[: column.width].rjust(column.width)}"
        spans.append(Span(text, row.role if column.name == "state" else role))
    return tuple(spans)


def title(board: Board, now: float) -> Line:
    """How far the sweep is."""
    if not board.trials:
        return (Span(" Sweep", "title"),)
    texts = list(board.ended_texts)
    texts += [f"{len(board.active)} running"] if board.active else []
    texts += ["waiting for a worker"] if board.waits else []
    left = board.left(now) if board.active else None
    texts += [] if left is None else [f"{duration(left)} left"]
    return Span(" Sweep", "title"), Span(f"  {' · '.join(texts)}", "plain")


def about(board: Board, error: str = "") -> Line:
    """A line about the selected trial; or the error that ended the sweep."""
    if error:
        return (Span(clean(f"  {error}"), "error"),)
    if not board.trials:
        return ()
    trial = board.trials[board.place]
    outcome = board.outcomes.get(trial.number)
    if outcome is None and trial.number in board.stopped:
        text = "stopped before its full sparsity; the same sweep resumes it"
        return (Span(f"  trial {trial.number}: {text}", "warning"),)
    if outcome is None:
        return (Span(clean(f"  {trial}"), "muted"),)
    if outcome.error:
        return (Span(clean(f"  trial {trial.number}: {outcome.error}"), "error"),)
    accuracy = _accuracy(outcome)
    if accuracy is None:
        return ()
    text = f"validation {percent(accuracy.validation)} %, test {percent(accuracy.test)} %"
    run = f", run {outcome.run} in the history" if outcome.run else ""
    return (Span(f"  trial {trial.number}: {text}{run}", "muted"),)
