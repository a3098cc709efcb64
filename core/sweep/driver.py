"""The driver of a sweep: hands trials to an executor, which are recorded as runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from core.errors import InputError
from core.events import Event, Notice, StopFlag, Stream, never
from core.executors.driver import Driver
from core.executors.events import TrialLabel, TrialReported, of_trial
from core.executors.recording import Recording
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from core.experiments.runs import DONE, RUNNING
from core.sweep.planning import PlannedTrial


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True, eq=False)
class SweepPlanned(Event):
    """Every trial has its plan."""

    trials: tuple[PlannedTrial, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TrialEnded(Event):
    """A trial has ended."""

    outcome: TrialOutcome


@dataclass(frozen=True, eq=False)
class SweepResult:
    """How the trials ended.

    Attributes:
        unfinished: trials that were stopped, never began, or run in another process.
        stopped: whether the sweep ended before they all did.
    """

    outcomes: tuple[TrialOutcome, ...]
    unfinished: tuple[TrialLabel, ...]
    stopped: bool


def run_trials(
    planned: Sequence[PlannedTrial],
    experiment: Experiment,
    executor: Executor,
    stop: StopFlag = never,
) -> Stream[SweepResult]:
    """Run the trials that have no run yet, and resume those that were interrupted.

    Every trial is recorded as one run of `experiment`, whole or not at all. A raised stop flag ends
    the sweep at once: what has ended stays, and a trial in progress stays interrupted after its
    last epoch, so that the same sweep goes on from there.
    """
    yield SweepPlanned(tuple(planned))
    sweep = _Sweep(planned, experiment, executor)
    with closing(sweep):
        with suppress(InputError):  # beginning a run says why the experiment cannot be written
            experiment.tidy()
        yield from sweep.known()
        while not sweep.finished and not stop():
            yield from sweep.step()
    outcomes = sweep.with_twins()
    unfinished = tuple(p.trial.label for p in planned if p.trial.number not in outcomes)
    in_order = tuple(outcomes[number] for number in sorted(outcomes))
    return SweepResult(in_order, unfinished, stopped=not sweep.finished)


class _Sweep:
    """The trials in progress, and how the others ended."""

    def __init__(
        self, planned: Sequence[PlannedTrial], experiment: Experiment, executor: Executor
    ) -> None:
        self._planned, self._experiment = planned, experiment
        self._driver = Driver(executor)
        self._waiting = deque(p for p in planned if p.twin is None)
        self._active: dict[int, Recording] = {}
        self._outcomes: dict[int, TrialOutcome] = {}
        self._said: set[str] = set()

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
                yield Notice(f"trial {trial.number} is run {run.id}, in progress elsewhere: left")
            else:
                todo.append(planned)
        self._waiting = todo

    def step(self) -> Iterator[Event]:
        """Hand out as many trials as there is room for; wait for news and tell it."""
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

    def with_twins(self) -> dict[int, TrialOutcome]:
        """The outcomes by number; trials that do the same as another share its outcome."""
        twins = {p.trial.label: p.twin for p in self._planned if p.twin in self._outcomes}
        shared = {
            trial.number: replace(self._outcomes[twin], trial=trial, is_new=False)
            for trial, twin in twins.items()
            if twin is not None
        }
        return self._outcomes | shared

    def close(self) -> None:
        """End the trials in progress; their runs can be resumed."""
        self._driver.close()

    def _tell(self, recording: Recording) -> Iterator[Event]:
        events = (of_trial(recording.trial, event) for event in recording.news())
        yield from filter(self._is_news, events)
        if recording.ended:
            del self._active[recording.number]
            yield self._end(_outcome(recording))

    def _is_news(self, event: Event) -> bool:
        """Whether an event says something; trials have much in common to say."""
        said = event.event if isinstance(event, TrialReported) else None
        if not isinstance(said, Notice):
            return True
        is_new = said.text not in self._said
        self._said.add(said.text)
        return is_new

    def _end(self, outcome: TrialOutcome) -> TrialEnded:
        self._outcomes[outcome.trial.number] = outcome
        return TrialEnded(outcome)


def _outcome(recording: Recording) -> TrialOutcome:
    """How a trial ended that this sweep ran."""
    if (failure := recording.failure) is not None:
        return TrialOutcome(recording.trial, None, recording.run, True, failure.error)
    result = recording.result
    error, seconds = result.record.error or "", recording.seconds
    return TrialOutcome(recording.trial, result.record, result.run, True, error, seconds)
