"""The events of a sweep. Loads no torch: watching a sweep needs none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.events import Event
from core.executors.events import TrialLabel
from core.experiments.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How a trial ended.

    Attributes:
        record: of the finished run; None if it failed.
        run: that records it; None if unrecorded.
        is_new: whether this sweep ran it.
        seconds: it took in this sweep, from its start to its end; 0 unless it is new.
    """

    trial: TrialLabel
    record: RunRecord | None
    run: str | None = None
    is_new: bool = False
    error: str = ""
    seconds: float = 0.0

    @property
    def stopped(self) -> bool:
        """Whether it was stopped early, but has a result."""
        return self.record is not None and bool(self.record.stopped)


@dataclass(frozen=True, slots=True)
class SweepPlanned(Event):
    """Every trial has its plan.

    Attributes:
        recorded: how many of them have a complete run.
        resumable: how many have a run to go on with.
        at: when that was; None if unknown.
    """

    trials: tuple[TrialLabel, ...]
    recorded: int = 0
    resumable: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrialStopping(Event):
    """A trial was asked to end early with what it has."""

    trial: TrialLabel


@dataclass(frozen=True, slots=True)
class TrialStopped(Event):
    """A trial was stopped before it had a result; the same sweep goes on after its last epoch."""

    trial: TrialLabel


@dataclass(frozen=True, slots=True)
class TrialEnded(Event):
    """A trial has ended."""

    outcome: TrialOutcome


@dataclass(frozen=True, slots=True)
class TrialProgress:
    """How far a trial is.

    Attributes:
        done: the finished fraction; None while it is unknown.
        epoch, epochs: the epoch in progress, from 1, of how many; 0 before the first.
    """

    trial: TrialLabel
    done: float | None = None
    epoch: int = 0
    epochs: int = 0


@dataclass(frozen=True, slots=True)
class SweepProgress(Event):
    """How far all trials in progress are; or, before the first one, the step that comes first."""

    trials: tuple[TrialProgress, ...] = ()
    step: str = ""
    done: float | None = None


@dataclass(frozen=True, slots=True)
class SweepBegan(Event):
    """A process runs a sweep.

    Attributes:
        command: that started it, and starts it again.
    """

    command: str
    pid: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SweepOver(Event):
    """The sweep has ended.

    Attributes:
        how: after all trials, or before: at a request, or with an error of the input or another.
    """

    how: Literal["ended", "stopped", "input", "failed"]
    error: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp(Event):
    """To whoever watches: the events so far have been read; those that follow happen now."""


@dataclass(frozen=True)
class SweepResult:
    """How the trials ended.

    Attributes:
        unfinished: trials that were stopped, never began, or run in another process.
        stopped: whether the sweep ended before they all did.
    """

    outcomes: tuple[TrialOutcome, ...]
    unfinished: tuple[TrialLabel, ...]
    stopped: bool
