"""The driver of a sweep: hands trials to an executor, and alone writes their runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from core.errors import InputError
from core.events import Event, Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.run_record import FINETUNE, RunRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import DONE, RUNNING, Run
from core.jobs import recorded_jobs
from core.jobs.recorded_jobs import RecordedTrial, record_run
from core.jobs.resume import saved_checkpoint
from core.sweep.live.events import (
    SweepPlanned,
    SweepResult,
    TrialBegan,
    TrialEnded,
    TrialLost,
    TrialOutcome,
    TrialReported,
    TrialStopped,
    TrialStopping,
)
from core.sweep.planning import PlannedTrial
from core.sweep.tasks import Begun, Executor, Failed, Lost, Message, PackedCheckpoint, Stopped, Task
from core.training.checkpoints import Checkpoint

ATTEMPTS = 3
"""A trial whose worker is lost this often in the same epoch fails: it may well be what kills them.

One that goes with its whole node does not count. Nodes leave for reasons of their own.
"""

WAIT = 0.2
"""Seconds between two looks at the stop flag."""


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
    """
    yield _planned(planned)
    driver = _Driver(planned, experiment, executor, stops)
    with closing(driver):
        with suppress(InputError):  # beginning a run says why the experiment cannot be written
            experiment.tidy()
        yield from driver.known()
        while not driver.finished and not stop():
            yield from driver.step()
    yield from driver.twins()
    outcomes = driver.outcomes
    unfinished = tuple(p.trial.label for p in planned if p.trial.number not in outcomes)
    in_order = tuple(outcomes[number] for number in sorted(outcomes))
    return SweepResult(in_order, unfinished, stopped=not driver.finished)


def _planned(planned: Sequence[PlannedTrial]) -> SweepPlanned:
    runs = [p.run for p in planned if p.twin is None and p.run is not None]
    recorded = sum(run.finished for run in runs)
    resumable = sum(run.resumable for run in runs)
    labels = tuple(p.trial.label for p in planned)
    return SweepPlanned(labels, recorded, resumable, datetime.now(UTC))


class _Driver:
    """The trials in progress, and how the others ended."""

    def __init__(
        self,
        planned: Sequence[PlannedTrial],
        experiment: Experiment,
        executor: Executor,
        stops: TrialStops,
    ) -> None:
        self._planned, self._experiment, self._executor = planned, experiment, executor
        self._stops, self._stopped = stops, set[int]()
        self._waiting = deque(p for p in planned if p.twin is None)
        self._active: dict[int, _Recording] = {}
        self.outcomes: dict[int, TrialOutcome] = {}
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
        """Hand out as many trials as there is room for; wait for news and record it."""
        for number in set(self._stops()) - self._stopped:
            yield from self._stop(number)
        while self._waiting and self._executor.room > 0:
            yield from self._submit(self._waiting.popleft())
        for number, message in self._executor.poll(WAIT):
            if number in self._active:
                yield from self._take(self._active[number], message)

    def twins(self) -> Iterator[Event]:
        """Report the trials that do the same as another, and share its outcome."""
        for planned in self._planned:
            if planned.twin is not None and planned.twin in self.outcomes:
                shared = self.outcomes[planned.twin]
                yield self._end(replace(shared, trial=planned.trial.label, is_new=False))

    def close(self) -> None:
        """End the trials in progress; their runs can be resumed."""
        try:
            self._executor.close()
        finally:
            for recording in self._active.values():
                recording.close()

    def _stop(self, number: int) -> Iterator[Event]:
        """Ask a trial to end; one that has not begun does not begin."""
        self._stopped.add(number)
        if number in self._active:
            self._executor.stop(number)
            yield TrialStopping(self._active[number].trial)
        for planned in [p for p in self._waiting if p.trial.number == number]:
            self._waiting.remove(planned)
            yield TrialStopped(planned.trial.label)

    def _submit(self, planned: PlannedTrial) -> Iterator[Event]:
        recording = _Recording(planned, self._experiment)
        try:
            task = recording.task()
        except InputError as error:
            yield self._end(TrialOutcome(recording.trial, None, error=str(error)))
            return
        self._active[planned.trial.number] = recording
        self._executor.submit(task, planned.base)

    def _take(self, recording: _Recording, message: Message) -> Iterator[Event]:
        match message:
            case Failed():
                yield self._end(recording.failed(message.error))
            case Stopped():
                yield self._drop(recording)
            case Lost() if recording.trial.number in self._stopped:
                yield self._drop(recording)
            case Lost():
                yield from self._resubmit(recording, message)
            case RecordedTrial() if self._is_spoiled(recording.trial.number, message.record):
                yield self._drop(recording)
            case Event() | RecordedTrial():
                yield from filter(self._is_news, recording.take(message))
                if recording.outcome is not None:
                    yield self._end(recording.outcome)

    def _resubmit(self, recording: _Recording, lost: Lost) -> Iterator[Event]:
        """Let a trial go on with another worker, unless it has lost too many."""
        recording.losses += not lost.with_node
        if recording.losses < ATTEMPTS:
            yield TrialLost(recording.trial, lost.reason)
            self._executor.submit(recording.task(), recording.planned.base)
        else:
            error = f"its worker was lost {ATTEMPTS} times: {lost.reason}"
            yield self._end(recording.failed(error))

    def _is_spoiled(self, number: int, record: RunRecord) -> bool:
        """Whether a net is one that a stop cut off before any epoch reached the full plan."""
        is_cut = record.kind == FINETUNE and bool(record.stopped) and record.best is None
        return is_cut and number in self._stopped

    def _drop(self, recording: _Recording) -> TrialStopped:
        """End a trial without a result; its run stays as it is after its last epoch."""
        self._active.pop(recording.trial.number).close()
        return TrialStopped(recording.trial)

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
        self.outcomes[number] = outcome
        if recording := self._active.pop(number, None):
            recording.close()
        return TrialEnded(outcome)


class _Idle(Event):
    """Nothing more has come from the worker yet."""


_IDLE = _Idle()


class _Recording:
    """One trial in progress: what its worker says becomes a run.

    Attributes:
        losses: workers that were lost since its last epoch.
    """

    def __init__(self, planned: PlannedTrial, experiment: Experiment) -> None:
        self.planned, self.trial = planned, planned.trial.label
        self.losses = 0
        self.outcome: TrialOutcome | None = None
        self._experiment = experiment
        self._writer: RunWriter | None = None
        self._stream: Stream[RecordedTrial] | None = None
        self._inbox: deque[Event | RecordedTrial] = deque()
        self._began = monotonic()

    def task(self) -> Task:
        """The task for the next attempt; raises InputError if its checkpoint is damaged."""
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
        if isinstance(message, Checkpoint):
            self.losses = 0
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
