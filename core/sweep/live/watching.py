"""Follows a sweep that another process runs, by the files it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import sleep

from core.errors import InputError, StoppedError, WorkError
from core.events import Event, StopFlag, Stream, never
from core.executors.events import TrialLabel
from core.experiments.experiment import Experiment
from core.sweep.live.event_json import event_from
from core.sweep.live.events import (
    CaughtUp,
    SweepBegan,
    SweepOver,
    SweepPlanned,
    SweepResult,
    TrialEnded,
    TrialOutcome,
)
from core.sweep.live.folder import LOG, PROGRESS, SweepFolder
from core.system.untrusted_json import FaultError, from_json, read_json

LOOK = 0.1
"""Seconds between two looks at the files."""

Pause = Callable[[float], object]
"""Waits for at most so many seconds; returns whether to leave the sweep alone, running or not."""


def watch(
    folder: SweepFolder, stop: StopFlag = never, pause: Pause = sleep
) -> Stream[SweepResult | None]:
    """The events of a sweep: those so far, `CaughtUp`, and then as they happen.

    A raised stop flag asks the process that runs the sweep to stop it. `pause` is called between
    two looks.

    Returns:
        How the sweep ended; None if it was left.

    Raises:
        InputError, WorkError, StoppedError: the sweep ended with that.
        WorkError: the process that ran the sweep is gone, or its files are.

    Example:
        result = drain(watch(newest_sweep(experiment.folder)), print)
    """
    reader = _Reader(folder)
    shown: Event | None = None
    caught_up, asked = False, False
    while True:
        alive = folder.is_running  # before the last look: what it wrote is read
        yield from reader.news()
        if reader.over is not None:
            return reader.result(reader.over)
        if not alive:
            raise WorkError(_gone(reader.began))
        if (progress := _progress(folder)) not in (None, shown):
            shown = progress
            yield progress
        if not caught_up:
            caught_up = True
            yield CaughtUp()
        if stop() and not asked:
            folder.stop()
            asked = True
        if pause(LOOK):
            return None


def with_records(result: SweepResult, experiment: Experiment) -> SweepResult:
    """A result with the whole records of its runs, as far as they are there."""
    return replace(result, outcomes=tuple(_whole(o, experiment) for o in result.outcomes))


def _whole(outcome: TrialOutcome, experiment: Experiment) -> TrialOutcome:
    if outcome.run is None or outcome.record is None:
        return outcome
    try:
        run = experiment.find(outcome.run)
    except InputError:
        return outcome
    return replace(outcome, record=run.record) if run.finished else outcome


class _Reader:
    """Reads the log as it grows, a whole line at a time."""

    def __init__(self, folder: SweepFolder) -> None:
        self._path, self._place = folder.path / LOG, 0
        self._trials: tuple[TrialLabel, ...] = ()
        self._outcomes: dict[int, TrialOutcome] = {}
        self.began: SweepBegan | None = None
        self.over: SweepOver | None = None

    def news(self) -> Iterator[Event]:
        """The events since the last call; raises WorkError if the log is gone."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                text = file.read()
        except OSError as error:
            raise WorkError(f"cannot read {self._path}: {error.strerror or error}") from error
        whole = text[: text.rfind(b"\n") + 1]
        self._place += len(whole)
        for line in whole.splitlines():
            try:
                event = event_from(from_json(line, self._path.name))
            except FaultError:
                continue  # of a damaged file
            if event is not None:
                self._fold(event)
                yield event

    def result(self, over: SweepOver) -> SweepResult:
        """How the sweep ended; raises the error that ended it."""
        if over.how == "input":
            raise InputError(over.error)
        if over.how == "failed":
            raise WorkError(over.error)
        if over.how == "stopped" and not self._trials:
            raise StoppedError(over.error or "stopped before the trials were planned")
        outcomes = tuple(self._outcomes[number] for number in sorted(self._outcomes))
        unfinished = tuple(t for t in self._trials if t.number not in self._outcomes)
        return SweepResult(outcomes, unfinished, over.how == "stopped")

    def _fold(self, event: Event) -> None:
        match event:
            case SweepBegan():
                self.began = event
            case SweepPlanned():
                self._trials = event.trials
            case TrialEnded():
                self._outcomes[event.outcome.trial.number] = event.outcome
            case SweepOver():
                self.over = event


def _progress(folder: SweepFolder) -> Event | None:
    try:
        return event_from(read_json(folder.path / PROGRESS))
    except FaultError:
        return None  # before the first one


def _gone(began: SweepBegan | None) -> str:
    text = "the process of the sweep is gone: killed, or the machine restarted"
    how = "the same command" if began is None else began.command
    return f"{text}; what is done is recorded, to continue: {how}"
