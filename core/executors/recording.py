"""A fine-tuning recorded as a run, whole or not at all, from the messages of its workers."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic

from core.errors import StoppedError
from core.events import Event, Notice, Stream
from core.executors.assignment import Assignment
from core.executors.events import TrialBegan, TrialLabel, TrialLost
from core.executors.packed import Begun, PackedCheckpoint
from core.executors.tasks import Done, Failed, Task
from core.executors.work.fine_tuning import FineTuning
from core.experiments.experiment import Experiment
from core.experiments.run_record import FINETUNE, RunRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import Run
from core.jobs import recorded_jobs
from core.jobs.net import Net
from core.jobs.recorded_jobs import RecordedTrial, record_run
from core.jobs.resume import saved_checkpoint
from core.training.checkpoints import Checkpoint


class _Idle(Event):
    """All messages so far are recorded."""


_IDLE = _Idle()


class Recording(Assignment[RecordedTrial]):
    """A fine-tuning that is recorded while it runs.

    Args:
        trial: what it is called.
        task: of the kind `FineTuning`.
        base: the net it starts from.
        run: to go on with; None to begin one.
        experiment: that records it.
    """

    def __init__(
        self, trial: TrialLabel, task: Task, base: Net, run: Run | None, experiment: Experiment
    ) -> None:
        super().__init__(task, base)
        self.trial = trial
        self._known, self._experiment = run, experiment
        self._writer: RunWriter | None = None
        self._stream: Stream[RecordedTrial] | None = None
        self._inbox: deque[Event | RecordedTrial] = deque()
        self._began = monotonic()
        self._resumes = False
        self._has_begun = False

    @property
    def run(self) -> str | None:
        """The run that records it; None while it has none."""
        return self._writer.id if self._writer is not None else None

    @property
    def is_unrecorded(self) -> bool:
        """Whether it has begun a run, but its result could not be written; a notice says why."""
        return self._has_begun and self._result is not None and self.result.run is None

    @property
    def seconds(self) -> float:
        """Since it began."""
        return monotonic() - self._began

    def task(self) -> Task:
        """The task for the next attempt, which goes on after the last recorded epoch.

        Raises InputError if its checkpoint is damaged.
        """
        run = self._known if self.run is None else self._experiment.find(self.run)
        checkpoint = None if run is None else saved_checkpoint(run)
        self._resumes = checkpoint is not None
        if checkpoint is None:
            return self._task
        assert isinstance(self._task.work, FineTuning)
        work = replace(self._task.work, resume=PackedCheckpoint.of(checkpoint))
        return replace(self._task, work=work)

    def take(self, message: Event | Done) -> None:
        """Record a message; raises InputError if a run cannot be begun, but must be."""
        match message:
            case Begun():
                if self._stream is None:
                    self._news.extend(self._begin(message.record))
                began = TrialBegan(self.trial, self.run, message.record.ratio, self._resumes)
                self._news.append(began)
            case Done(result=result) if self.stopping and _is_cut(result.record):
                self.failure = Failed("stopped before any epoch reached the plan", StoppedError)
            case Done(result=result):
                self._record(result)
            case Event() if self._stream is not None:
                if isinstance(message, Checkpoint):
                    self.losses = 0
                self._record(message)
            case Event() if not isinstance(message, Notice):
                self._news.append(message)  # the notices of planning say the same

    def lost(self, reason: str) -> None:
        """Report it."""
        self._news.append(TrialLost(self.trial, reason))

    def close(self) -> None:
        """Release the run; one that is not finished can be resumed, or disappears."""
        if self._stream is not None:
            self._stream.close()
        if self._writer is not None and not self._writer.folder.exists():
            self._writer = None  # its id may become that of another trial

    def _record(self, message: Event | RecordedTrial) -> None:
        assert self._stream is not None
        self._inbox.append(message)
        while True:
            try:
                event = next(self._stream)
            except StopIteration as end:
                self._result = Done(end.value)
                return
            if event is _IDLE:
                return
            self._news.append(event)

    def _begin(self, record: RunRecord) -> Stream[None]:
        run = self._known
        self._began = monotonic()
        if run is not None:
            self._writer = self._experiment.resume(run)
        else:
            self._writer = yield from recorded_jobs.begin(self._experiment, record, tidies=False)
        self._has_begun = self._writer is not None
        self._stream = record_run(self._feed(), self._writer, lambda result: result.record)
        next(self._stream)  # to the first wait: from here on, closing it releases the run

    def _feed(self) -> Stream[RecordedTrial]:
        """The messages as a stream, as if the work were done here."""
        while True:
            if not self._inbox:
                yield _IDLE
                continue
            message = self._inbox.popleft()
            if isinstance(message, RecordedTrial):
                return message
            yield message


def _is_cut(record: RunRecord) -> bool:
    """Whether a fine-tuning was cut off before any epoch reached the full plan."""
    return record.kind == FINETUNE and bool(record.stopped) and record.best is None
