"""The runs of an experiment: reads, annotates and deletes them in threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core.events import Event, Progress, StopFlag, Stream
from core.experiments.experiment import Experiment
from core.experiments.runs import Run
from tui.jobs import history_jobs as jobs
from tui.jobs.job import Job, JobEnded, JobEvent
from tui.screens.overlay import Overlay
from tui.state.run_list import RunList
from tui.system.error_log import explain
from tui.text.lines import Span

if TYPE_CHECKING:
    from tui.state.run_rows import RunRow
    from tui.views.run_plots import Weights

CACHED_LAYERS = 4
"""Layers whose weights stay in memory: one of each compared run, and the previous two."""


class RunFiles(Overlay[Run]):
    """Reads and changes the files; `show` draws the results.

    Attributes:
        run_list: the runs as last read, with the selection.
        weights: those read so far; replaced, never mutated.
        problem: why the runs cannot be read.
        message: shown instead of the hint about the selected run.
    """

    def __init__(self, experiment: Experiment, run_list: RunList) -> None:
        super().__init__()
        self.experiment = experiment
        self.run_list = run_list
        self.weights: Weights = {}
        self.problem = ""
        self.message: Span | None = None
        self._reading: Job | None = None
        self._changing: Job | None = None
        self._reading_weights: Job | None = None

    def show(self) -> None:
        """Draw the current data."""

    @property
    def busy(self) -> bool:
        """Whether a file is being read or changed."""
        return any((self._reading, self._changing, self._reading_weights))

    def reload(self) -> None:
        """Read the runs again."""
        work = partial(jobs.read_rows, self.experiment)
        self._reading = self._start(work, self._take_rows, self._follow_reading)

    def change(self, title: str, work: Callable[[], str]) -> None:
        """Change runs one at a time: another program may lock the folder for a while."""
        if self._changing is not None:
            text = "the previous change is still being saved: try again in a moment"
            self.message = Span(text, "warning")
        else:
            self.message = Span(f"{title}…", "working")
            self._changing = self._start(jobs.as_stream(work), self._take_change)
        self.show()

    def read_weights(self) -> None:
        """Read the weights of the selected layer of the two runs, one pair after the other."""
        one, other, layers = self.run_list.selected, self.run_list.compared, self.run_list.layers
        if self._reading_weights is not None or one is None or other is None or not layers:
            return
        layer = layers[self.run_list.layer_at][0].name
        missing = tuple(row.run for row in (one, other) if (row.id, layer) not in self.weights)
        if missing:
            work = partial(jobs.profiles, missing, layer)
            self._reading_weights = self._start(jobs.as_stream(work), self._take_weights)

    def _follow_reading(self, event: Event) -> None:
        """Show how many of the runs have been read, if that takes a while."""
        if self.run_list.rows is None and isinstance(event, Progress):
            self.run_list = replace(self.run_list, read_so_far=(event.done, event.total))
            self.show()

    def _take_rows(self, ended: JobEnded) -> None:
        if ended.job is not self._reading:
            return
        self._reading = None
        rows: tuple[RunRow, ...] | None = self._result(ended)
        if rows is None:
            self.problem, rows = self.message.text if self.message else "", ()
        else:
            self.problem = ""
        if {row.id: row for row in rows} != {row.id: row for row in self.run_list.rows or ()}:
            self.weights = {}  # a new run may have the id of a deleted one
        self.run_list = self.run_list.read(rows)
        self.show()

    def _take_change(self, ended: JobEnded) -> None:
        self._changing = None
        if (text := self._result(ended)) is not None:
            self.message = Span(text, "good")
        self.reload()
        self.show()

    def _take_weights(self, ended: JobEnded) -> None:
        """Keep the weights; `show` reads those requested meanwhile."""
        self._reading_weights = None
        if (read := self._result(ended)) is not None:
            before = {key: self.weights[key] for key in self.weights if key not in read}
            self.weights = {**dict(list(before.items())[len(read) - CACHED_LAYERS :]), **read}
        self.show()

    def on_job_event(self, message: JobEvent) -> None:
        """Pass a job's event to the method it was started with."""
        message.stop()
        message.job.follow(message.event)

    def on_job_ended(self, message: JobEnded) -> None:
        """Pass the end of a job to the method it was started with."""
        message.stop()
        message.job.end(message)

    def on_unmount(self) -> None:
        """Abandon what is being read; a change is completed."""
        for job in (self._reading, self._reading_weights):
            if job is not None:
                job.abandon(0)

    def _start(
        self,
        work: Callable[[StopFlag], Stream[Any]],
        end: Callable[[JobEnded], None],
        follow: Callable[[Event], None] = lambda _: None,
    ) -> Job:
        job = Job(work, self.post_message, end, follow)
        job.start()
        return job

    def _result(self, ended: JobEnded) -> Any:
        """The result of a job; None if it failed, with the error as the message."""
        if ended.error is None:
            return ended.value
        self.message = Span(" ".join(explain(ended.error).split()), "error")
        return None
