"""The driver of a sweep: hands trials to an executor, and alone writes their runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from time import monotonic

from core.errors import InputError
from core.events import Event, Notice, StopFlag, Stream, never
from core.executors.tasks import Begun, Executor, Failed, Lost, Message, PackedCheckpoint, Task
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import DONE, RUNNING, Run
from core.jobs import recorded_jobs
from core.jobs.recorded_jobs import RecordedTrial, record_run
from core.jobs.resume import saved_checkpoint
from core.sweep.grid import Trial
from core.sweep.planning import PlannedTrial

ATTEMPTS = 3
"""A trial whose worker is lost this often fails: it may well be what kills them."""

WAIT = 0.2
"""Seconds between two looks at the stop flag."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialOutcome:
    """How a trial ended.

    Attributes:
        record: of the finished run; None if it failed.
        run: that records it; None if unrecorded.
        is_new: whether this sweep ran it.
        seconds: it took in this sweep, from its start to its end; 0 unless it is new.
    """

    trial: Trial
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
class TrialBegan(Event):
    """A worker trains a trial, from the start or from its last epoch.

    Attributes:
        run: its run; None if it is not recorded.
        ratio: as planned.
    """

    trial: Trial
    run: str | None
    ratio: float | None
    resumed: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrialReported(Event):
    """An event of a trial."""

    trial: Trial
    event: Event


@dataclass(frozen=True, slots=True, eq=False)
class TrialLost(Event):
    """The worker of a trial is gone; the trial goes on with another."""

    trial: Trial
    reason: str


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
    unfinished: tuple[Trial, ...]
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
    driver = _Driver(planned, experiment, executor)
    with closing(driver):
        with suppress(InputError):  # beginning a run says why the experiment cannot be written
            experiment.tidy()
        yield from driver.known()
        while not driver.finished and not stop():
            yield from driver.step()
    outcomes = driver.with_twins()
    unfinished = tuple(p.trial for p in planned if p.trial.number not in outcomes)
    in_order = tuple(outcomes[number] for number in sorted(outcomes))
    return SweepResult(in_order, unfinished, stopped=not driver.finished)


class _Driver:
    """The trials in progress, and how the others ended."""

    def __init__(
        self, planned: Sequence[PlannedTrial], experiment: Experiment, executor: Executor
    ) -> None:
        self._planned, self._experiment, self._executor = planned, experiment, executor
        self._waiting = deque(p for p in planned if p.twin is None)
        self._active: dict[int, _Recording] = {}
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
                yield self._end(TrialOutcome(trial, run.record, run.id))
            elif run is not None and run.status == RUNNING:
                yield Notice(f"trial {trial.number} is run {run.id}, in progress elsewhere: left")
            else:
                todo.append(planned)
        self._waiting = todo

    def step(self) -> Iterator[Event]:
        """Hand out as many trials as there is room for; wait for news and record it."""
        while self._waiting and self._executor.room > 0:
            yield from self._submit(self._waiting.popleft())
        for number, message in self._executor.poll(WAIT):
            if number in self._active:
                yield from self._take(self._active[number], message)

    def with_twins(self) -> dict[int, TrialOutcome]:
        """The outcomes by number; trials that do the same as another share its outcome."""
        twins = {p.trial: p.twin for p in self._planned if p.twin in self._outcomes}
        shared = {
            trial.number: replace(self._outcomes[twin], trial=trial, is_new=False)
            for trial, twin in twins.items()
            if twin is not None
        }
        return self._outcomes | shared

    def close(self) -> None:
        """End the trials in progress; their runs can be resumed."""
        try:
            self._executor.close()
        finally:
            for recording in self._active.values():
                recording.close()

    def _submit(self, planned: PlannedTrial) -> Iterator[Event]:
        recording = _Recording(planned, self._experiment)
        try:
            task = recording.task()
        except InputError as error:
            yield self._end(TrialOutcome(planned.trial, None, error=str(error)))
            return
        self._active[planned.trial.number] = recording
        self._executor.submit(task, planned.base)

    def _take(self, recording: _Recording, message: Message) -> Iterator[Event]:
        match message:
            case Failed():
                yield self._end(recording.failed(message.error))
            case Lost() if recording.attempts < ATTEMPTS:
                yield TrialLost(recording.trial, message.reason)
                self._executor.submit(recording.task(), recording.planned.base)
            case Lost():
                error = f"its worker was lost {ATTEMPTS} times: {message.reason}"
                yield self._end(recording.failed(error))
            case _:
                yield from filter(self._is_news, recording.take(message))
                if recording.outcome is not None:
                    yield self._end(recording.outcome)

    def _is_news(self, event: Event) -> bool:
        """Whether an event says something; trials have much in common to say."""
        said = event.event if isinstance(event, TrialReported) else None
        if not isinstance(said, Notice):
            return True
        is_new = said.text not in self._said
        self._said.add(said.text)
        return is_new

    def _end(self, outcome: TrialOutcome) -> TrialEnded:
        number = outcome.trial.number
        self._outcomes[number] = outcome
        if recording := self._active.pop(number, None):
            recording.close()
        return TrialEnded(outcome)


class _Idle(Event):
    """Nothing more has come from the worker yet."""


_IDLE = _Idle()


class _Recording:
    """One trial in progress: what its worker says becomes a run."""

    def __init__(self, planned: PlannedTrial, experiment: Experiment) -> None:
        self.planned, self.trial = planned, planned.trial
        self.attempts = 0
        self.outcome: TrialOutcome | None = None
        self._experiment = experiment
        self._writer: RunWriter | None = None
        self._stream: Stream[RecordedTrial] | None = None
        self._inbox: deque[Event | RecordedTrial] = deque()
        self._began = monotonic()

    def task(self) -> Task:
        """The task for the next attempt; raises InputError if its checkpoint is damaged."""
        self.attempts += 1
        run = self._run()
        checkpoint = None if run is None else saved_checkpoint(run)
        resume = None if checkpoint is None else PackedCheckpoint.of(checkpoint)
        return replace(self.planned.task, resume=resume)

    def take(self, message: Event | RecordedTrial) -> Iterator[Event]:
        """Record what a worker says; yields what there is to tell.

        Raises InputError if the run cannot be begun, but must be.
        """
        if isinstance(message, Begun):
            if self._stream is None:
                yield from self._begin(message.record)
            return
        if self._stream is None:  # the driver has said itself what there is to know of the images
            if isinstance(message, Event) and not isinstance(message, Notice):
                yield TrialReported(self.trial, message)
            return
        self._inbox.append(message)
        while True:
            try:
                event = next(self._stream)
            except StopIteration as end:
                self._finish(end.value)
                return
            if event is _IDLE:
                return
            yield TrialReported(self.trial, event)

    def failed(self, error: str) -> TrialOutcome:
        """The outcome of a failure."""
        run = self._writer.id if self._writer is not None else None
        return TrialOutcome(self.trial, None, run, is_new=True, error=error)

    def close(self) -> None:
        """Release the run; one that is not finished can be resumed, or disappears."""
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> Run | None:
        """The run to go on with; None before it has begun."""
        if self._writer is not None:
            return self._experiment.find(self._writer.id)
        return self.planned.run

    def _begin(self, record: RunRecord) -> Stream[None]:
        run = self.planned.run
        self._began = monotonic()
        if run is not None:
            self._writer = self._experiment.resume(run)
        else:
            self._writer = yield from recorded_jobs.begin(self._experiment, record, tidies=False)
        self._stream = record_run(self._feed(), self._writer, lambda result: result.record)
        next(self._stream)  # to the first wait: from here on, closing it releases the run
        run_id = None if self._writer is None else self._writer.id
        yield TrialBegan(self.trial, run_id, record.ratio, resumed=run is not None)

    def _feed(self) -> Stream[RecordedTrial]:
        """What the worker says, as a stream of its own."""
        while True:
            if not self._inbox:
                yield _IDLE
                continue
            message = self._inbox.popleft()
            if isinstance(message, RecordedTrial):
                return message
            yield message

    def _finish(self, result: RecordedTrial) -> None:
        record, seconds = result.record, monotonic() - self._began
        self.outcome = TrialOutcome(
            self.trial, record, result.run, True, record.error or "", seconds
        )
