"""The runs of an experiment on a screen: read, annotated and deleted beside it, never by it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from core.experiments.experiment import Experiment
from core.experiments.runs import Run
from tui.jobs import history_jobs as jobs
from tui.jobs.job import Done, Job, JobEnded
from tui.screens.overlay import Overlay
from tui.state.run_list import RunList
from tui.system.error_log import explain
from tui.text.lines import Span

if TYPE_CHECKING:
    from tui.state.run_rows import RunRow
    from tui.views.run_plots import Weights

KEPT = 4
"""Layers whose weights are kept in memory: those of two runs, and of the two before."""


class RunFiles(Overlay[Run | None]):
    """What is read and changed comes in here; `show` draws it.

    Attributes:
        run_list: the runs as they were last read, and which one is chosen.
        weights: those that have been read; never changed, only replaced.
        problem: why the runs cannot be read.
        message: what there is to say beside what enter does.
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
        self._looking: Job | None = None

    def show(self) -> None:
        """Draw what there is."""

    @property
    def busy(self) -> bool:
        """A file is being read or changed."""
        return any((self._reading, self._changing, self._looking))

    def reload(self) -> None:
        """Read the runs anew, as after one has ended."""
        self._reading = self._start(partial(jobs.read_rows, self.experiment), self._take_rows)

    def change(self, doing: str, work: Callable[[], str]) -> None:
        """Change a run, one at a time: another program may hold the folder for a while."""
        if self._changing is not None:
            self.message = Span(
                "one change at a time: the last one is still being saved", "warning"
            )
        else:
            self.message = Span(f"{doing} …", "working")
            self._changing = self._start(work, self._take_change)
        self.show()

    def want_weights(self) -> None:
        """Read the weights of the chosen layer of the two runs, one pair after the other."""
        one, other, layers = self.run_list.chosen, self.run_list.compared, self.run_list.layers
        if self._looking is not None or one is None or other is None or not layers:
            return
        layer = layers[self.run_list.layer_at][0].name
        wanted = tuple(row.run for row in (one, other) if (row.id, layer) not in self.weights)
        if wanted:
            self._looking = self._start(partial(jobs.profiles, wanted, layer), self._take_weights)

    def _take_rows(self, ended: JobEnded) -> None:
        """Show the runs as they are now."""
        if ended.job is not self._reading:
            return
        self._reading = None
        rows: tuple[RunRow, ...] | None = self._result(ended)
        if rows is None:
            self.problem, rows = self.message.text if self.message else "", ()
        else:
            self.problem = ""
        if {row.id: row for row in rows} != {row.id: row for row in self.run_list.rows or ()}:
            self.weights = {}  # the newest run's id may be that of one which has been deleted
        self.run_list = self.run_list.read(rows)
        self.show()

    def _take_change(self, ended: JobEnded) -> None:
        """Say what has been changed, and read what there is now."""
        self._changing = None
        done = self._result(ended)
        if done is not None:
            self.message = Span(done, "good")
        self.reload()
        self.show()

    def _take_weights(self, ended: JobEnded) -> None:
        """Keep the weights, and go on to what has been asked for meanwhile."""
        self._looking = None
        read = self._result(ended)
        if read is not None:
            before = {key: self.weights[key] for key in self.weights if key not in read}
            self.weights = {**dict(list(before.items())[len(read) - KEPT :]), **read}
        self.show()

    def on_job_ended(self, message: JobEnded) -> None:
        """Give the end of a job to what it was started for."""
        message.stop()
        message.job.end(message)

    def on_unmount(self) -> None:
        """Let go of what is being read; what is being changed comes to its end."""
        for job in (self._reading, self._looking):
            if job is not None:
                job.abandon(0)

    def _start(self, work: Callable[[], Any], end: Callable[[JobEnded], None]) -> Job:
        job = Job(jobs.at_once(work), self.post_message, end)
        job.start()
        return job

    def _result(self, ended: JobEnded) -> Any:
        """What a job came to; None, with the error as the message, where it failed."""
        if isinstance(ended.outcome, Done):
            return ended.outcome.value
        self.message = Span(" ".join(explain(ended.outcome.error).split()), "error")
        return None
