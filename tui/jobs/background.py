"""The background measurement: what a plan gives, as soon as the keys rest for a moment."""

from collections.abc import Callable
from functools import partial

from textual.app import App
from textual.timer import Timer

from core.events import Event, StopFlag, Stream
from tui.jobs.job import Failed, Job, JobEnded
from tui.state.measurement import MeasurementRequest
from tui.system.error_log import explain

REST = 0.2
"""Seconds the plan has to stay unchanged."""


class BackgroundMeasurement:
    """At most one measurement alongside the job, on its own weights.

    It yields at once to a key that changes the plan and to any job.

    Args:
        app: takes its messages, and has the clock.
        measure: gives the stream that answers a request.
        request: what is worth measuring now; None for nothing.
        report: takes each event with the request that it answers.
        say: takes why a measurement failed; an empty text when one begins or ends.

    Attributes:
        job: its thread; None while nothing is measured.
    """

    def __init__(
        self,
        app: App[None],
        measure: Callable[[MeasurementRequest, StopFlag], Stream[None]],
        request: Callable[[], MeasurementRequest | None],
        report: Callable[[MeasurementRequest, Event], None],
        say: Callable[[str], None],
    ) -> None:
        self.job: Job | None = None
        self._app, self._measure, self._requested = app, measure, request
        self._report, self._say = report, say
        self._running: MeasurementRequest | None = None
        # What has been measured to the end, also where that was an error.
        self._settled: MeasurementRequest | None = None
        self._rest: Timer | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being measured, or will be after a pause."""
        return self.job is not None or self._rest is not None

    def reconsider(self) -> None:
        """Begin after a rest where something is worth measuring; end what no longer is."""
        request, running = self._request(), self._running
        going_on = self.job is not None and not self.job.stopping
        if going_on and request is not None and running is not None and running.includes(request):
            return
        self.give_way()
        if request is not None and self.job is None:
            self._rest = self._app.set_timer(REST, self._begin)

    def give_way(self) -> Job | None:
        """End what is measured or waits to be; returns the job that is still about to end."""
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        if self.job is not None:
            self.job.stop()
        return self.job

    def _request(self) -> MeasurementRequest | None:
        """What is worth measuring now, unless that has been tried."""
        request = self._requested()
        tried = request and self._settled is not None and self._settled.includes(request)
        return None if tried else request

    def _begin(self) -> None:
        self._rest = None
        request = self._request()
        if self.job is not None or request is None:
            return
        self._running = request
        self._say("")
        self.job = job = Job(
            partial(self._measure, request),
            self._app.post_message,
            self._take_end,
            lambda event: None if job.stopping else self._report(request, event),
        )
        job.start()

    def _take_end(self, ended: JobEnded) -> None:
        """Start the measurement requested in the meantime."""
        if not ended.job.stopping:
            self._settled = self._running
            outcome = ended.outcome
            self._say(explain(outcome.error) if isinstance(outcome, Failed) else "")
        self.job = None
        self.reconsider()
