"""The background measurement: what a plan costs, as soon as the keys rest for a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from core.events import StopFlag, Stream
from core.measure.comparison import ComparisonUpdated
from core.measure.costs import ActivityMeasured
from core.pruning.curves import SampleUpdated
from tui.jobs.job import Failed, Job, JobEnded, JobEvent
from tui.session import Finish, Session
from tui.state.results import Counts, Look, Sight, Wanted
from tui.state.state import State

if TYPE_CHECKING:
    from tui.jobs.backend import Backend

REST = 0.2
"""Seconds for which the plan has to rest."""


class LookEvent(JobEvent):
    """A measurement said something."""


class LookEnded(JobEnded):
    """A measurement's own last message."""


class LookJob(Job):
    """A measurement in a thread of its own."""

    says = LookEvent
    ends = LookEnded


class Looking(Session):
    """At most one measurement beside the job, on weights of its own.

    It gives way at once to a key that changes the plan and to any job.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._look: Job | None = None
        self._looks_at: Wanted | None = None
        # What has been looked at to its end, also where that was an error.
        self._settled: Wanted | None = None
        self._rest: Timer | None = None
        self._looks = 0

    @property
    def threads(self) -> tuple[Job, ...]:
        """The job and the measurement."""
        return super().threads if self._look is None else (*super().threads, self._look)

    @property
    def looking(self) -> bool:
        """Something is being measured, or will be after a rest."""
        return self._look is not None or self._rest is not None

    def show(self, state: State) -> None:
        """Show a state; where its accuracy is not known, find it out soon."""
        super().show(state)
        self._look_after_a_rest()

    def start_job(
        self, title: str, start: Callable[[StopFlag], Stream[Any]], finish: Finish
    ) -> None:
        """Give way, then start the job: what the measurement takes of memory is free by then."""
        self._leave()
        leaving = self._look

        def in_turn(stop: StopFlag) -> Stream[Any]:
            if leaving is not None:
                leaving.wait()
            return start(stop)

        super().start_job(title, in_turn, finish)

    def action_digits(self) -> None:
        """Show the digits; once they are there, those that the pruned net alone gets wrong."""
        if "digits" in self.explore.visible_plots(self.state):
            self.state = replace(self.state, digits=self.state.digits.turned())
        self.bring_into_sight("digits")
        self.show(self.state)

    def action_more_digits(self) -> None:
        """Show the next digits."""
        self.bring_into_sight("digits")
        self.show(replace(self.state, digits=self.state.digits.on()))

    def on_unmount(self) -> None:
        """Let go of the measurement too."""
        if self._look is not None:
            self._look.abandon(0)

    def on_look_event(self, message: LookEvent) -> None:
        """Take in the measurement as far as it is."""
        if self._look is None or message.job_id != self._look.id or self._look.stopping:
            return
        wanted = self._looks_at
        match message.event:
            case SampleUpdated(sample) if wanted:
                look = Look(wanted.plan, wanted.base, sample)
                self.state = replace(self.state, look=look)
            case ComparisonUpdated(compared) if wanted:
                self.state = replace(self.state, sight=Sight(wanted, compared))
            case ActivityMeasured() as counted if wanted:
                self.state = replace(self.state, counts=Counts(wanted, counted))
            case _:
                return
        self.explore.show_soon(self.state, self.doing)

    def on_look_ended(self, message: LookEnded) -> None:
        """Go on to what has been asked for meanwhile."""
        if self._look is not None and message.job_id == self._look.id:
            if not self._look.stopping:
                self._settled = self._looks_at
                if isinstance(message.outcome, Failed):
                    self.log.error(message.outcome.error)
            self._look = None
            self._look_after_a_rest()

    def _wanted(self) -> Wanted | None:
        """What is worth measuring now: nothing while a job runs, nor what has been tried."""
        if self.job is not None:
            return None
        wanted = self.state.wanted(self.explore.visible_plots(self.state))
        settled = wanted is None or (self._settled is not None and self._settled.includes(wanted))
        return None if settled else wanted

    def _look_after_a_rest(self) -> None:
        wanted = self._wanted()
        at, running = self._looks_at, self._look is not None and not self._look.stopping
        if running and wanted is not None and at is not None and at.includes(wanted):
            return
        self._leave()
        if wanted is not None and self._look is None:
            self._rest = self.set_timer(REST, self._begin)

    def _leave(self) -> None:
        """Give up what is measured or waits to be."""
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        if self._look is not None:
            self._look.stop()

    def _begin(self) -> None:
        self._rest = None
        wanted = self._wanted()
        if self._look is not None or wanted is None:
            return
        self._looks_at = wanted
        self._looks += 1
        self._look = LookJob(
            self._looks, lambda stop: self.backend.look(wanted, stop), self.post_message
        )
        self._look.start()
