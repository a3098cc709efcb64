"""Writes the events of a sweep into its files, for whoever watches it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from shlex import join
from time import monotonic
from typing import TypeVar

from core.errors import InputError, StoppedError
from core.events import Batch, Event, Notice, Portion, Progress, StopFlag, Stream, relayed
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.progress import Meter
from core.sweep.live.event_json import event_json
from core.sweep.live.events import (
    SweepBegan,
    SweepOver,
    SweepPlanned,
    SweepProgress,
    SweepResult,
    TrialEnded,
    TrialProgress,
    TrialStopped,
)
from core.sweep.live.folder import LOCK, LOG, PROGRESS, SweepFolder
from core.system.files import write_text
from core.system.locks import acquire

T = TypeVar("T")

PACE = 0.25
"""Seconds between two writes of the progress."""

LOOK = 0.2
"""Seconds between two looks for requests to stop."""


class StopRequests:
    """The requests to stop a sweep or trials of it, from whoever watches it.

    Args:
        stop: another flag that stops the whole sweep.
    """

    def __init__(self, folder: SweepFolder, stop: StopFlag) -> None:
        self._folder, self._stop = folder, stop
        self._looked, self._all, self._trials = 0.0, False, frozenset[int]()

    def sweep(self) -> bool:
        """Whether to stop the whole sweep: its stop flag."""
        self._look()
        return self._all or self._stop()

    def trials(self) -> frozenset[int]:
        """The numbers of the trials to stop."""
        self._look()
        return self._trials

    def _look(self) -> None:
        if monotonic() - self._looked >= LOOK:
            self._looked = monotonic()
            self._all, self._trials = self._folder.stops()


def logged(
    stream: Stream[SweepResult], folder: SweepFolder, words: Sequence[str]
) -> Stream[SweepResult]:
    """Run a sweep and write its events, which pass through.

    `words` are those of the command that runs it, after `featherweight`. If the events can no
    longer be written, a warning says so and the sweep goes on.

    Raises InputError if the files cannot be written at the start.
    """
    log = SweepLog(folder)
    over = SweepOver("stopped")

    def written(event: Event) -> Iterator[Event]:
        yield event
        yield from log.take(event)

    try:
        log.write(SweepBegan(join(("featherweight", *words)), os.getpid(), datetime.now(UTC)))
        result = yield from relayed(stream, written)
        over = SweepOver("stopped" if result.stopped else "ended")
        return result
    except StoppedError as error:
        over = SweepOver("stopped", str(error))
        raise
    except Exception as error:
        over = SweepOver("input" if isinstance(error, InputError) else "failed", str(error))
        raise
    finally:
        stream.close()
        log.close(over)


class SweepLog:
    """The log of a sweep, written by the process that runs it; raises InputError if it cannot."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder = folder
        self._lock = acquire(folder.path / LOCK)
        self._lost = False
        self._wrote = 0.0
        self._trials: dict[TrialLabel, tuple[Meter, TrialProgress]] = {}
        self._meter, self._step, self._planned = Meter(), "", False

    def take(self, event: Event) -> Stream[None]:
        """Write an event; that of progress with the next write of `PROGRESS`."""
        try:
            self._fold(event, monotonic())
            if self._lost:
                return
            self.write(event)
            if monotonic() - self._wrote >= PACE:
                self._write_progress()
        except (OSError, InputError) as error:
            self._lost = True
            text = f"this sweep can no longer be watched from elsewhere: {error}"
            yield Notice(text, warning=True)

    def write(self, event: Event) -> None:
        """Append an event as one line, if it is one to keep."""
        if isinstance(event, Batch | Progress | Portion) or (data := event_json(event)) is None:
            return
        line = json.dumps(data, allow_nan=False) + "\n"
        with (self._folder.path / LOG).open("ab", buffering=0) as file:
            file.write(line.encode())

    def close(self, over: SweepOver) -> None:
        """Say how it ended, and release the sweep."""
        try:
            if not self._lost:
                self.write(over)
        except OSError:
            pass  # those who watch see that the process is gone
        finally:
            self._lock.release()

    def _fold(self, event: Event, now: float) -> None:
        match event:
            case SweepPlanned():
                self._planned = True
            case TrialBegan(trial=trial):
                self._trials[trial] = Meter(), TrialProgress(trial)
            case TrialReported(trial=trial, event=said) if trial in self._trials:
                meter, progress = self._trials[trial]
                meter = meter.after(said, now)
                at = said if isinstance(said, Batch) else progress
                progress = TrialProgress(trial, meter.done, at.epoch, at.epochs)
                self._trials[trial] = meter, progress
            case TrialLost(trial=trial) | TrialStopped(trial=trial):
                self._trials.pop(trial, None)
            case TrialEnded(outcome=outcome):
                self._trials.pop(outcome.trial, None)
            case _ if not self._planned:
                self._meter = self._meter.after(event, now)
                self._step = _step(event) or self._step

    def _write_progress(self) -> None:
        trials = tuple(progress for _, progress in self._trials.values())
        before = SweepProgress(step=self._step, done=self._meter.done)
        data = event_json(SweepProgress(trials) if self._planned else before)
        write_text(self._folder.path / PROGRESS, json.dumps(data, allow_nan=False))
        self._wrote = monotonic()


def _step(event: Event) -> str:
    """What happens before the trials, in words; empty if an event does not say."""
    match event:
        case Progress():
            return event.step
        case Batch():
            return f"training the dense net, epoch {event.epoch} of {event.epochs}"
        case _:
            return ""
