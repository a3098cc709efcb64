"""The background measurement of a plan, which starts after a short pause between keys."""

from collections.abc import Callable
from functools import partial

from textual.app import App
from textual.timer import Timer

from core.events import Event, StopFlag, Stream
from tui.jobs.job import Job, JobEnded
from tui.state.measurement import MeasurementRequest
from tui.system.error_log import explain

PAUSE = 0.2
"""Seconds without a change before it starts."""


class BackgroundMeasurement:
    """At most one measurement beside the job, on its own weights.

    It stops at once for a key that changes the plan, and for any job.

    Args:
        app: receives its messages; has the clock.
        measure: returns the stream for a request.
        request: returns what to measure now; None for nothing.
        report: called with a request and each event of its measurement.
        say: called with the reason a measurement failed; with an empty text when one starts or
            succeeds.

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
        self._completed: MeasurementRequest | None = None  # or failed
        self._pause: Timer | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being measured, or will be after a pause."""
        return self.job is not None or self._pause is not None

    def reconsider(self) -> None:
        """Start, after a pause, the measurement that is needed; stop one that no longer is."""
        request, running = self._request(), self._running
        active = self.job is not None and not self.job.stopping
        if active and request is not None and running is not None and running.includes(request):
            return
        self.stop()
        if request is not None and self.job is None:
            self._pause = self._app.set_timer(PAUSE, self._start)

    def stop(self) -> Job | None:
        """Stop the measurement or the pause before it; returns the job until it has ended."""
        if self._pause is not None:
            self._pause.stop()
            self._pause = None
        if self.job is not None:
            self.job.stop()
        return self.job

    def _request(self) -> MeasurementRequest | None:
        """The measurement needed now, unless it has been tried."""
        request = self._requested()
        tried = request and self._completed is not None and self._completed.includes(request)
        return None if tried else request

    def _start(self) -> None:
        self._pause = None
        request = self._request()
        if self.job is not None or request is None:
            return
        self._running = request
        self._say("")
        self.job = job = Job(
            partial(self._measure, request),
            self._app.post_message,
            self._on_end,
            lambda event: None if job.stopping else self._report(request, event),
        )
        job.start()

    def _on_end(self, ended: JobEnded) -> None:
        """Report a failure, and start the measurement requested in the meantime."""
        if not ended.job.stopping:
            self._completed = self._running
            self._say(explain(ended.error) if ended.error else "")
        self.job = None
        self.reconsider()
