"""The live table of a sweep: its trials in progress, and those that ended last."""

from __future__ import annotations

from rich.text import Text

from core.sweep.live.events import TrialOutcome
from tui.cli.number_table import NumberTable
from tui.state.sweep.board import Active, Board
from tui.text.format import count, duration, ratio, score, score_on

RECENT = 4
"""Trials that have ended and are still shown."""

AROUND = RECENT + 5
"""Lines of the table beside its trials in progress: those that have ended, headings and ends."""


def lines(
    board: Board, width: int | None, height: int, now: float, *, keys: bool = False
) -> list[Text]:
    """The live table, and the keys that act on it."""
    if not board.trials:
        done = "" if board.step_done is None else f" {board.step_done:.0%}"
        rows = [Text(f"{board.step or 'opening the dense net'}{done}")]
    else:
        rows = [*_table(board, width, height), Text(_summary(board, now))]
    return [*rows, Text(_keys(board), "dim")] if keys else rows


def _table(board: Board, width: int | None, height: int) -> list[Text]:
    table = NumberTable("plan", "trial", "seed", "epoch", "progress", "validation %", "ratio")
    for outcome in board.new[-RECENT:]:
        table.add_row(*_ended_row(outcome))
    for active in board.near(max(1, height - AROUND)):
        mark = ">" if active is board.chosen and len(board.active) > 1 else ""
        table.add_row(*_active_row(active, mark))
    return [*table.lines(width, first_out=(1,))] if board.active or board.new else []


def _summary(board: Board, now: float) -> str:
    left = board.left(now)
    rest = "" if left is None else f", {duration(left)} left"
    return f"{count(len(board.outcomes))} of {count(len(board.trials))} trials done{rest}"


def _keys(board: Board) -> str:
    chosen = board.chosen
    choose = "up/down select, " * (len(board.active) > 1)
    stop = f"x stop trial {chosen.trial.number}, " if chosen else ""
    return f"{choose}{stop}d leave it running, Ctrl+C stop all"


def _ended_row(outcome: TrialOutcome) -> tuple[str, ...]:
    trial, record = outcome.trial, outcome.record
    seed, number = str(trial.seed), str(trial.number)
    if record is None or record.stage not in record.measured:
        return trial.group, number, seed, "", "failed", "", ""
    validation = score(record.measured[record.stage], "validation")
    how = "stopped" if outcome.stopped else "done"
    return trial.group, number, seed, "", how, validation, ratio(record.ratio or 0.0)


def _active_row(active: Active, mark: str) -> tuple[str, ...]:
    done = "" if active.done is None else f"{active.done:.0%}"
    done = "stopping" if active.stopping else done
    epoch = f"{active.epoch}/{active.epochs}" if active.epochs else ""
    last = active.validated
    validation = "" if last is None else score_on(last.validation, last.images)
    seed, number = str(active.trial.seed), str(active.trial.number)
    planned = ratio(active.ratio) if active.ratio else ""
    return (active.trial.group, number, seed, epoch, f"{mark} {done}".strip(), validation, planned)
