"""The driver of a sweep: hands trials to an executor, which are recorded as runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime

from core.errors import InputError
from core.events import Event, Notice, StopFlag, Stream, never
from core.executors.driver import Driver
from core.executors.events import Notices, of_trial
from core.executors.recording import Recording
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.experiments.runs import DONE, RUNNING
from core.sweep.live.events import (
    SweepPlanned,
    SweepResult,
    TrialEnded,
    TrialOutcome,
    TrialStopped,
    TrialStopping,
)
from core.sweep.planning import PlannedTrial

TrialStops = Callable[[], Collection[int]]
"""The numbers of the trials to stop, so far."""


def run_trials(
    planned: Sequence[PlannedTrial],
    experiment: Experiment,
    executor: Executor,
    stop: StopFlag = never,
    stops: TrialStops = tuple,
) -> Stream[SweepResult]:
    """Run the trials that have no run yet, and resume those that were interrupted.

    Every trial is recorded as one run of `experiment`, whole or not at all. A raised stop flag ends
    the sweep at once: what has ended stays, and a trial in progress stays interrupted after its
    last epoch, so that the same sweep goes on from there. A trial among the `stops` ends alone: it
    is recorded with the best epoch that reached the full plan; without one, it stays interrupted.

    Raises InputError if a run cannot be written that must be, or the executor can run no trial.

    Example:
        planned = drain(plan_trials(workbench, grid.trials(Settings.of), {}, experiment, never))
        result = drain(run_trials(planned, experiment, Processes(4, threads=1)), print)
    """
    yield _planned(planned)
    sweep = _Sweep(planned, experiment, executor, stops)
    with closing(sweep):
        with suppress(InputError):  # beginning a run says why the experiment cannot be written
            experiment.tidy()
        yield from sweep.known()
        while not sweep.finished and not stop():
            yield from sweep.step()
    yield from sweep.twins()
    outcomes = sweep.outcomes
    unfinished = tuple(p.trial.label for p in planned if p.trial.number not in outcomes)
    in_order = tuple(outcomes[number] for number in sorted(outcomes))
    return SweepResult(in_order, unfinished, stopped=not sweep.finished)


def _planned(planned: Sequence[PlannedTrial]) -> SweepPlanned:
    runs = [p.run for p in planned if p.twin is None and p.run is not None]
    recorded = sum(run.finished for run in runs)
    resumable = sum(run.resumable for run in runs)
    labels = tuple(p.trial.label for p in planned)
    return SweepPlanned(labels, recorded, resumable, datetime.now(UTC))


class _Sweep:
    """The trials in progress, and how the others ended."""

    def __init__(
        self,
        planned: Sequence[PlannedTrial],
        experiment: Experiment,
        executor: Executor,
        stops: TrialStops,
    ) -> None:
        self._planned, self._experiment = planned, experiment
        self._driver, self._stops = Driver(executor), stops
        self._waiting = deque(p for p in planned if p.twin is None)
        self._active: dict[int, Recording] = {}
        self._stopped = set[int]()
        self.outcomes: dict[int, TrialOutcome] = {}
        self._notices = Notices()

    @property
    def finished(self) -> bool:
        return not self._waiting and not self._active

    def known(self) -> Iterator[Event]:
        """Report the trials that are recorded, or run in another process."""
        todo: deque[PlannedTrial] = deque()
        for planned in self._waiting:
            run, trial = planned.run, planned.trial
            if run is not None and run.status == DONE:
                yield self._end(TrialOutcome(trial.label, run.record, run.id))
            elif run is not None and run.status == RUNNING:
                yield Notice(
                    f"{trial.label} is in progress in another process, as run {run.id}: skipped"
                )
            else:
                todo.append(planned)
        self._waiting = todo

    def step(self) -> Iterator[Event]:
        """Hand out as many trials as there is room for; wait for messages; yield their events."""
        for number in set(self._stops()) - self._stopped:
            yield from self._stop(number)
        while self._waiting and self._driver.room > 0:
            planned = self._waiting.popleft()
            recording = Recording(
                planned.trial.label, planned.task, planned.base, planned.run, self._experiment
            )
            self._active[recording.number] = recording
            self._driver.submit(recording)
            yield from self._tell(recording)
        for assignment in self._driver.poll():
            yield from self._tell(self._active[assignment.number])

    def twins(self) -> Iterator[Event]:
        """Report the trials that do the same as another, and share its outcome."""
        for planned in self._planned:
            if planned.twin is not None and planned.twin in self.outcomes:
                shared = self.outcomes[planned.twin]
                yield self._end(replace(shared, trial=planned.trial.label, is_new=False))

    def close(self) -> None:
        """End the trials in progress; their runs can be resumed."""
        self._driver.close()

    def _stop(self, number: int) -> Iterator[Event]:
        """Ask a trial to end; one that has not begun does not begin."""
        self._stopped.add(number)
        if (recording := self._active.get(number)) is not None:
            self._driver.stop(recording)
            yield TrialStopping(recording.trial)
        for planned in [p for p in self._waiting if p.trial.number == number]:
            self._waiting.remove(planned)
            yield TrialStopped(planned.trial.label)

    def _tell(self, recording: Recording) -> Iterator[Event]:
        events = (of_trial(recording.trial, event) for event in recording.news())
        yield from filter(self._notices.is_news, events)
        if recording.ended:
            del self._active[recording.number]
            stopped = recording.stopped  # its run stays as it is after its last epoch
            yield TrialStopped(recording.trial) if stopped else self._end(_outcome(recording))

    def _end(self, outcome: TrialOutcome) -> TrialEnded:
        self.outcomes[outcome.trial.number] = outcome
        return TrialEnded(outcome)


def _outcome(recording: Recording) -> TrialOutcome:
    """How a trial ended that this sweep ran."""
    if (failure := recording.failure) is not None:
        return TrialOutcome(recording.trial, None, recording.run, True, failure.error)
    result = recording.result
    error, seconds = result.record.error or "", recording.seconds
    if recording.is_unrecorded:
        error = error or "its run could not be recorded"
    return TrialOutcome(recording.trial, result.record, result.run, True, error, seconds)
