"""The live table of a sweep: its trials in progress, and those that ended last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rich.text import Text

from core.events import Epoch, Event
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.sweep.live.events import (
    SweepPlanned,
    SweepProgress,
    TrialEnded,
    TrialOutcome,
    TrialProgress,
    TrialStopped,
    TrialStopping,
)
from tui.cli.number_table import NumberTable
from tui.text.format import count, duration, ratio, score, score_on

HEADINGS = ("plan", "trial", "seed", "epoch", "progress", "validation %", "ratio")
"""Of the table of trials."""

RECENT = 4
"""Trials that have ended and are still shown."""

AROUND = RECENT + 5
"""Lines of the table beside its trials in progress: those that have ended, headings and ends."""


@dataclass(frozen=True, slots=True)
class Active:
    """A trial in progress."""

    trial: TrialLabel
    ratio: float | None = None
    done: float | None = None
    epoch: str = ""
    validation: str = ""
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """What the live table shows, after all events so far.

    Attributes:
        total: the number of trials; 0 while it is not known.
        known: trials that were recorded before the sweep.
        active: the trials in progress, in the order of their beginnings.
        ended: outcomes of this sweep, the newest last, as many as are shown.
        new: how many trials this sweep has finished.
        began: when the first of them began.
        step, step_done: what happens before the trials, and how far it is.
        selected: the number of the trial that a key stops; 0 stands for the first one.
    """

    total: int = 0
    known: int = 0
    active: tuple[Active, ...] = ()
    ended: tuple[TrialOutcome, ...] = ()
    new: int = 0
    began: float = 0.0
    step: str = ""
    step_done: float | None = None
    selected: int = 0

    def after(self, event: Event, now: float) -> Board:
        """With one more event."""
        match event:
            case SweepPlanned():
                ago = 0.0 if event.at is None else (datetime.now(UTC) - event.at).total_seconds()
                return replace(self, total=len(event.trials), began=now - max(0.0, ago))
            case TrialBegan():
                return replace(
                    self, active=(*self._without(event.trial), Active(event.trial, event.ratio))
                )
            case TrialLost() | TrialStopped():
                return replace(self, active=self._without(event.trial))
            case TrialReported(trial=trial, event=Epoch() as epoch):
                validation = score_on(epoch.validation, epoch.images)
                return self._changed(trial, validation=validation)
            case TrialStopping():
                return self._changed(event.trial, stopping=True)
            case SweepProgress():
                return self._at(event)
            case TrialEnded() if event.outcome.is_new:
                active = self._without(event.outcome.trial)
                ended = (*self.ended, event.outcome)[-RECENT:]
                return replace(self, active=active, ended=ended, new=self.new + 1)
            case TrialEnded():
                return replace(self, known=self.known + 1)
            case _:
                return self

    def select(self, step: int) -> Board:
        """With the trial below selected, or above for -1."""
        if not self.active:
            return self
        place = min(max(self._place + step, 0), len(self.active) - 1)
        return replace(self, selected=self.active[place].trial.number)

    @property
    def chosen(self) -> Active | None:
        """The selected trial; None if none is in progress."""
        return self.active[self._place] if self.active else None

    def left(self, now: float) -> float | None:
        """The seconds left at the pace of this sweep so far; None before a trial has got far."""
        done = self.new + sum(active.done or 0.0 for active in self.active)
        rest = self.total - self.known - done
        return rest * (now - self.began) / done if done >= 0.5 else None

    def near(self, rows: int) -> tuple[Active, ...]:
        """As many of the trials in progress, around the selected one."""
        start = min(max(self._place - rows // 2, 0), max(len(self.active) - rows, 0))
        return self.active[start : start + rows]

    @property
    def _place(self) -> int:
        numbers = [active.trial.number for active in self.active]
        return numbers.index(self.selected) if self.selected in numbers else 0

    def _without(self, trial: TrialLabel) -> tuple[Active, ...]:
        return tuple(active for active in self.active if active.trial != trial)

    def _changed(self, trial: TrialLabel, **changes: object) -> Board:
        active = (replace(a, **changes) if a.trial == trial else a for a in self.active)  # type: ignore[arg-type]
        return replace(self, active=tuple(active))

    def _at(self, event: SweepProgress) -> Board:
        known = {progress.trial: progress for progress in event.trials}
        active = (_at(a, known[a.trial]) if a.trial in known else a for a in self.active)
        return replace(self, active=tuple(active), step=event.step, step_done=event.done)


def _at(active: Active, progress: TrialProgress) -> Active:
    epoch = f"{progress.epoch}/{progress.epochs}" if progress.epochs else ""
    return replace(active, done=progress.done, epoch=epoch)


def lines(
    board: Board, width: int | None, height: int, now: float, *, keys: bool = False
) -> list[Text]:
    """The live table, and the keys that act on it."""
    if not board.total:
        done = "" if board.step_done is None else f" {board.step_done:.0%}"
        rows = [Text(f"{board.step or 'opening the dense net'}{done}")]
    else:
        rows = [*_table(board, width, height), Text(_summary(board, now))]
    return [*rows, Text(_keys(board), "dim")] if keys else rows


def _table(board: Board, width: int | None, height: int) -> list[Text]:
    table = NumberTable(*HEADINGS)
    for outcome in board.ended:
        table.add_row(*_ended_row(outcome))
    for active in board.near(max(1, height - AROUND)):
        mark = ">" if active is board.chosen and len(board.active) > 1 else ""
        table.add_row(*active_row(active, mark))
    return [*table.lines(width, first_out=(1,))] if board.active or board.ended else []


def _summary(board: Board, now: float) -> str:
    left = board.left(now)
    rest = "" if left is None else f", {duration(left)} left"
    return f"{count(board.known + board.new)} of {count(board.total)} trials done{rest}"


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


def active_row(active: Active, mark: str = "") -> tuple[str, ...]:
    """The row of a trial in progress; see `HEADINGS`."""
    done = "" if active.done is None else f"{active.done:.0%}"
    done = "stopping" if active.stopping else done
    seed, number = str(active.trial.seed), str(active.trial.number)
    planned = ratio(active.ratio) if active.ratio else ""
    return (
        active.trial.group,
        number,
        seed,
        active.epoch,
        f"{mark} {done}".strip(),
        active.validation,
        planned,
    )
