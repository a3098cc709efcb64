"""The live table of a sweep: its trials in progress, and those that ended last."""

from __future__ import annotations

from rich.text import Text

from core.sweep.live.events import TrialOutcome
from core.sweep.summary import group_results
from tui.cli.number_table import NumberTable
from tui.state.sweep.board import Active, Board
from tui.text.format import duration, percent, ratio, score, score_on
from tui.text.lines import cut

HEADINGS = ("plan", "trial", "seed", "epoch", "progress", "validation %", "ratio")
"""Of the table of trials."""

RECENT = 4
"""Trials that have ended and are still shown."""

AROUND = RECENT + 6
"""Lines beside the trials in progress: those that have ended, headings, and what is below."""


def lines(
    board: Board, width: int | None, height: int, now: float, *, front: str = "", keys: bool = False
) -> list[Text]:
    """The live table, the Pareto front so far, and the keys that act on the table."""
    if not board.trials:
        done = "" if board.step_done is None else f" {board.step_done:.0%}"
        rows = [Text(f"{board.step or 'starting'}{done}")]
    else:
        rows = [*_table(board, width, height), Text(_summary(board, now))]
        rows += [Text(cut(front, width or len(front)))] if front else []
    return [*rows, Text(_keys(board, width), "dim")] if keys else rows


def front_text(board: Board) -> str:
    """The plans on the Pareto front so far, with their validation accuracy; empty before any."""
    best = [row for row in group_results(board.outcomes.values()) if row.on_front]
    texts = (f"{row.name} {percent(row.validation.mean)} %" for row in best)
    return f"front: {', '.join(texts)}" if best else ""


def _table(board: Board, width: int | None, height: int) -> list[Text]:
    table = NumberTable(*HEADINGS)
    for outcome in board.new[-RECENT:]:
        plan, *cells = _ended_row(outcome)
        table.add_row(f"{_mark(board)}{plan}", *cells)
    for active in board.near(max(1, height - AROUND)):
        plan, *cells = active_row(active)
        table.add_row(f"{_mark(board, chosen=active is board.chosen)}{plan}", *cells)
    return [*table.lines(width, first_out=(6, 2))] if board.active or board.new else []


def _summary(board: Board, now: float) -> str:
    left = board.left(now)
    rest = "" if left is None else f", {duration(left)} left"
    rest = ", waiting for a worker" if board.waits else rest
    return f"{', '.join(board.ended_texts)}{rest}"


def _mark(board: Board, *, chosen: bool = False) -> str:
    """What a plan is marked with while there are several trials to choose from."""
    return "" if len(board.active) < 2 else "> " if chosen else "  "


def _keys(board: Board, width: int | None) -> str:
    """The keys, in fewer words where there is no room for all."""
    chosen = board.chosen
    choose = ["up/down select"] if len(board.active) > 1 else []
    stop = [f"x stop trial {chosen.trial.number}"] if chosen else []
    text = ", ".join([*choose, *stop, "d leave running", "Ctrl+C stop all"])
    if width is None or len(text) <= width:
        return text
    return ", ".join([*choose, *stop, "d leave", "Ctrl+C stop"])


def _ended_row(outcome: TrialOutcome) -> tuple[str, ...]:
    trial, record = outcome.trial, outcome.record
    seed, number = str(trial.seed), str(trial.number)
    if record is None or record.stage not in record.measured:
        return trial.group, number, seed, "", "failed", "", ""
    validation = score(record.measured[record.stage], "validation")
    how = "stopped" if outcome.stopped else "done"
    return trial.group, number, seed, "", how, validation, ratio(record.ratio or 0.0)


def active_row(active: Active) -> tuple[str, ...]:
    """The row of a trial in progress; see `HEADINGS`."""
    done = "" if active.done is None else f"{active.done:.0%}"
    done = "stopping" if active.stopping else done
    epoch = f"{active.epoch}/{active.epochs}" if active.epochs else ""
    last = active.validated
    validation = "" if last is None else score_on(last.validation, last.images)
    seed, number = str(active.trial.seed), str(active.trial.number)
    planned = ratio(active.ratio) if active.ratio else ""
    return (active.trial.group, number, seed, epoch, done, validation, planned)
