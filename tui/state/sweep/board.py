"""A sweep as it is shown, after all events so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from core.events import Epoch, Event, Progress
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.sweep.live.events import (
    SweepOver,
    SweepPlanned,
    SweepProgress,
    TrialEnded,
    TrialOutcome,
    TrialProgress,
    TrialStopped,
    TrialStopping,
)


@dataclass(frozen=True, slots=True)
class Active:
    """A trial in progress.

    Attributes:
        ratio: as planned.
        done: the finished fraction; None while it is unknown.
        epoch, epochs: the epoch in progress, from 1, of how many; 0 before the first.
        validated: the last epoch that was measured.
        stopping: whether it was asked to end.
    """

    trial: TrialLabel
    ratio: float | None = None
    done: float | None = None
    epoch: int = 0
    epochs: int = 0
    validated: Epoch | None = None
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A sweep.

    Attributes:
        trials: all of them; none while they are not known.
        active: those in progress, in the order of their beginnings.
        outcomes: of those that have ended, by number, in the order of their ends.
        stopped: the numbers of those that were stopped without a result.
        began: when the first of them began.
        step, step_done: what happens before the trials, and how far it is.
        selected: the number of the trial that a key stops; 0 stands for the first one.
        over: whether the sweep has ended.
    """

    trials: tuple[TrialLabel, ...] = ()
    active: tuple[Active, ...] = ()
    outcomes: Mapping[int, TrialOutcome] = field(default_factory=dict)
    stopped: frozenset[int] = frozenset()
    began: float = 0.0
    step: str = ""
    step_done: float | None = None
    selected: int = 0
    over: bool = False

    @property
    def new(self) -> tuple[TrialOutcome, ...]:
        """How the trials of this sweep ended, the newest last; not those recorded before it."""
        return tuple(outcome for outcome in self.outcomes.values() if outcome.is_new)

    def after(self, event: Event, now: float) -> Board:
        """With one more event."""
        match event:
            case SweepPlanned():
                ago = 0.0 if event.at is None else (datetime.now(UTC) - event.at).total_seconds()
                return replace(self, trials=event.trials, began=now - max(0.0, ago))
            case TrialBegan():
                return replace(
                    self, active=(*self._without(event.trial), Active(event.trial, event.ratio))
                )
            case TrialLost():
                return replace(self, active=self._without(event.trial))
            case TrialStopped(trial=trial):
                stopped = self.stopped | {trial.number}
                return replace(self, active=self._without(trial), stopped=stopped)
            case TrialReported(trial=trial, event=Epoch() as epoch):
                return self._changed(trial, validated=epoch)
            case TrialStopping():
                return self._changed(event.trial, stopping=True)
            case SweepProgress() | Progress():
                return self._at(event)
            case SweepOver():
                return self.closed()
            case TrialEnded(outcome=outcome):
                outcomes = {**self.outcomes, outcome.trial.number: outcome}
                return replace(self, active=self._without(outcome.trial), outcomes=outcomes)
            case _:
                return self

    def closed(self) -> Board:
        """After its end."""
        return replace(self, active=(), over=True)

    def select_active(self, step: int) -> Board:
        """With the trial in progress below selected, or above for -1."""
        return self._select([active.trial.number for active in self.active], step)

    def select(self, step: int) -> Board:
        """With the trial below selected, or above for -1, whether it is in progress or not."""
        return self._select([trial.number for trial in self.trials], step)

    def _select(self, numbers: list[int], step: int) -> Board:
        if not numbers:
            return self
        at = numbers.index(self.selected) if self.selected in numbers else 0
        return replace(self, selected=numbers[min(max(at + step, 0), len(numbers) - 1)])

    @property
    def chosen(self) -> Active | None:
        """The selected trial in progress, else the first one; None if none is in progress."""
        return self.active[self._place] if self.active else None

    @property
    def ended_texts(self) -> tuple[str, ...]:
        """How many trials are done, and how many failed or were stopped, in words."""
        failed = sum(outcome.record is None for outcome in self.outcomes.values())
        done = f"{len(self.outcomes) - failed:,} of {len(self.trials):,} trials done"
        others = {"failed": failed, "stopped": len(self.stopped)}
        return done, *(f"{number:,} {how}" for how, number in others.items() if number)

    @property
    def waits(self) -> bool:
        """Whether trials are left, and none is in progress yet."""
        ended = len(self.outcomes) + len(self.stopped)
        return not self.over and not self.active and ended < len(self.trials)

    def left(self, now: float) -> float | None:
        """The seconds left at the pace of this sweep so far; None before a trial has got far."""
        new = len(self.new)
        done = new + sum(active.done or 0.0 for active in self.active)
        rest = len(self.trials) - len(self.stopped) - (len(self.outcomes) - new) - done
        return rest * (now - self.began) / done if done >= 0.5 else None

    def near(self, rows: int) -> tuple[Active, ...]:
        """As many of the trials in progress, around the selected one."""
        start = min(max(self._place - rows // 2, 0), max(len(self.active) - rows, 0))
        return self.active[start : start + rows]

    @property
    def place(self) -> int:
        """The place of the selected trial among all of them."""
        numbers = [trial.number for trial in self.trials]
        return numbers.index(self.selected) if self.selected in numbers else 0

    @property
    def _place(self) -> int:
        numbers = [active.trial.number for active in self.active]
        return numbers.index(self.selected) if self.selected in numbers else 0

    def _without(self, trial: TrialLabel) -> tuple[Active, ...]:
        return tuple(active for active in self.active if active.trial != trial)

    def _changed(self, trial: TrialLabel, **changes: Any) -> Board:
        active = (replace(a, **changes) if a.trial == trial else a for a in self.active)
        return replace(self, active=tuple(active))

    def _at(self, event: SweepProgress | Progress) -> Board:
        if isinstance(event, Progress):  # of the process, while it starts
            return replace(self, step=event.step)
        known = {progress.trial: progress for progress in event.trials}
        active = (_at(a, known[a.trial]) if a.trial in known else a for a in self.active)
        return replace(self, active=tuple(active), step=event.step, step_done=event.done)


def _at(active: Active, progress: TrialProgress) -> Active:
    return replace(active, done=progress.done, epoch=progress.epoch, epochs=progress.epochs)
