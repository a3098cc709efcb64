"""The session: what is on the screen, and the running job."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from os.path import lexists
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from textual.app import App
from textual.screen import Screen

from core.errors import InputError
from core.events import Event, Notice, StopFlag, Stream
from core.experiments.runs import check_outside_runs
from core.system.files import check_writable
from tui.jobs.backend import Backend
from tui.jobs.background import BackgroundMeasurement
from tui.jobs.job import Job, JobEnded
from tui.keys.key import Key
from tui.keys.keymap import with_keys
from tui.screens.main import MainScreen
from tui.screens.messages import Messages
from tui.screens.question import Question, replace_question
from tui.state.measurement import MeasurementRequest
from tui.state.next_measurement import request_for, with_event
from tui.state.state import State
from tui.state.training_curve import TrainingCurve
from tui.system.paths import path_of
from tui.views import job_outcomes
from tui.views.activity import JobProgress, Outcome, Said
from tui.views.plot_registry import needs_of
from tui.widgets.layer_table import LayerTable

T = TypeVar("T")

SAID_SECONDS = 4.0
"""How long a message takes the place of a job's progress or of an outcome."""


class Session:
    """A state, the screen that shows it, and at most one job.

    Features change the state by `show`, or set it in a job's `follow` and `finish`, after which the
    session shows it.

    Args:
        app: receives the messages of jobs, and owns the screens.
        footer_keys: returns the keys for the footer.

    Attributes:
        state: what the screen shows, except for the job.
        activity: the running job, or the outcome of the last one.
        job: the running job's thread.
        trains: whether the job has the training curve.
        leave_job: ends the job, but not its work; None if the work ends with it.
        background: the measurement that may run alongside the job.
        messages: what has been said so far.
        followers: called with every state that is shown.
    """

    def __init__(
        self, app: App[None], backend: Backend, footer_keys: Callable[[], tuple[Key, ...]]
    ) -> None:
        self.app = app
        self.backend = backend
        self.state = State(settings=backend.settings)
        self.activity: JobProgress | Outcome = Outcome("")
        self.job: Job | None = None
        self.trains = False
        self.leave_job: Callable[[], None] | None = None
        self.main_screen = MainScreen()
        self.messages = Messages()
        self._about_job: Question | None = None
        self.followers: list[Callable[[State], None]] = []
        self.background = BackgroundMeasurement(
            app, backend.measure, self._request, self._measured, self._say_measuring
        )
        self._footer_keys = footer_keys

    # What is on the screen

    @property
    def typing(self) -> bool:
        """Whether an input line is open, which takes every key."""
        return self.main_screen.line is not None

    def show(self, state: State, outcome: Outcome | None = None) -> None:
        """Show a state and an outcome, which a job's progress leaves only a moment.

        If the state's accuracy is unknown, it is measured soon.
        """
        transient = isinstance(self.activity, Outcome) and self.activity.transient
        if outcome is not None and self.job is not None:
            role = "plain" if outcome.role == "muted" else outcome.role
            self.say(outcome.text, role)
        elif outcome is not None:
            self.conclude(outcome)
        elif transient and state.planned != self.state.planned:
            self.activity = Outcome("")
        self.state = state
        self._redraw()
        for follow in self.followers:
            follow(state)
        self.background.reconsider()

    def _redraw(self) -> None:
        self.main_screen.show(self.state, self.activity, self._footer_keys())

    def say(self, text: str, role: str = "plain") -> None:
        """Show a message in the activity's second line for a moment, in place of any other.

        Actions in braces become their keys.
        """
        text = with_keys(text)
        self.messages.add(text, role)
        self.activity = replace(self.activity, said=Said(text, role, monotonic() + SAID_SECONDS))
        self._redraw()
        self.app.set_timer(SAID_SECONDS, self._redraw)

    def conclude(self, outcome: Outcome) -> None:
        """Keep the outcome of a job or a key in the activity lines."""
        self.activity = outcome
        self.messages.add(outcome.text, outcome.role)
        for warning in outcome.warnings:
            self.messages.add(warning, "warning")

    def bring_into_view(self, plot: str) -> None:
        """Put a plot first, unless it is visible already."""
        if plot not in self.main_screen.visible_plots(self.state):
            self.state = replace(self.state, plot=plot)

    def watch_training(self, curve: TrainingCurve) -> None:
        """Begin a new curve, and bring it into view."""
        self.state = replace(self.state, curve=curve)
        self.bring_into_view("accuracy")

    def with_stored_scan(self, state: State) -> State:
        """The state with the scan of its base that an earlier session saved."""
        base = state.base
        if base is None or state.base_scan is not None:
            return state
        scan = self.backend.stored_scan(base, state.settings)
        return state if scan is None else state.with_scan(state.scan_key(base), scan)

    def focus_table(self) -> None:
        """Move the focus back to the table after an input line closes."""
        self.main_screen.query_one(LayerTable).focus()
        self.show(self.state)

    def ask(self, screen: Screen[T], take: Callable[[T], None]) -> None:
        """Open a dialog, after the tour; `take` gets its result, unless it is canceled."""
        if wait := getattr(self.app.screen, "afterwards", None):
            wait(partial(self.ask, screen, take))
            return
        self.app.push_screen(screen, lambda result: None if result is None else take(result))

    def confirm_while_it_runs(self, text: str, yes: str, no: str, act: Callable[[], None]) -> None:
        """Ask a question about the running job, which closes it at its end; on yes, call `act`."""
        self._withdraw_question()
        self._about_job = Question(text, yes, no)
        self.ask(self._about_job, lambda answer: act() if answer else None)

    def _withdraw_question(self) -> None:
        """Take back the question about the job, which may be open, or below another screen."""
        if self._about_job is not None:
            self._about_job.withdraw()
        self._about_job = None

    def write_to(self, text: str, write: Callable[[Path], None]) -> None:
        """Write to a typed path if it can be; asks whether to replace an existing file."""
        path = path_of(text)
        try:
            check_writable(path)
            check_outside_runs(path)
        except InputError as error:
            self.show(self.state, Outcome(str(error), "nothing was written", role="error"))
            return
        if lexists(path):
            self.ask(replace_question(text), lambda yes: write(path) if yes else None)
        else:
            write(path)

    # The job

    def start_job(
        self,
        title: str,
        start: Callable[[StopFlag], Stream[Any]],
        finish: Callable[[Any], None],
        follow: Callable[[Event], None] = lambda _: None,
        *,
        plot: str = "",
        curve: TrainingCurve | None = None,
        recipe: str = "",
        leave: Callable[[], None] | None = None,
    ) -> None:
        """Start a job and show it; if one is running already, show only a message.

        Args:
            title: its name on the screen.
            start: returns the stream; called in a thread of its own.
            finish: takes the result.
            follow: takes each event; the screen shows the changes at its own pace.
            plot: the plot to bring into view.
            curve: the training curve to begin.
            recipe: what it trains with.
            leave: ends the job, but not the work, which goes on without this program.
        """
        if self.job is not None:
            self.say(f"{title} has to wait: {self.job_title} is running, {{stop}} stops it")
            return
        if curve is not None:
            self.watch_training(curve)
        elif plot:
            self.bring_into_view(plot)
        self.trains = curve is not None
        leaving = self.background.stop()
        self.state = replace(self.state, measuring="waiting for the job to end")

        def in_turn(stop: StopFlag) -> Stream[Any]:
            if leaving is not None:
                leaving.wait()  # which frees its memory
            return start(stop)

        def take(event: Event) -> None:
            if isinstance(self.activity, JobProgress):
                self.activity = self.activity.after(event)
            if isinstance(event, Notice):
                self.messages.add(event.text, "warning" if event.warning else "plain")
            follow(event)
            self.main_screen.show_soon(self.state, self.activity)

        self.activity = JobProgress(title, monotonic(), recipe)
        self.leave_job = leave
        self.job = Job(in_turn, self.app.post_message, partial(self._take_end, finish), take)
        self.job.start()
        self.show(self.state)

    def _take_end(self, finish: Callable[[Any], None], ended: JobEnded) -> None:
        """Take the result, or show why there is none."""
        self.job = self.leave_job = None
        self.state = replace(self.state, measuring="")
        self._withdraw_question()
        if ended.error is not None:
            self._fail(ended.error)
        else:
            try:
                finish(ended.value)
            except Exception as error:
                self._fail(error)
        if isinstance(self.activity, Outcome):
            self.conclude(self.activity)
        self.show(self.state)

    def _fail(self, error: BaseException) -> None:
        self.activity = job_outcomes.failed(error, is_open=self.state.base is not None)

    def follow_training(self, event: Event) -> None:
        """Add a training's event to the curve."""
        if self.state.curve is not None:
            self.state = replace(self.state, curve=self.state.curve.after(event))

    @property
    def job_title(self) -> str:
        """The name of the running job on the screen."""
        return self.activity.title if isinstance(self.activity, JobProgress) else "a job"

    @property
    def warnings(self) -> tuple[str, ...]:
        """The running job's warnings so far."""
        return self.activity.warnings if isinstance(self.activity, JobProgress) else ()

    @property
    def threads(self) -> tuple[Job, ...]:
        """The computing threads; the process must not exit normally while torch is running."""
        return tuple(job for job in (self.job, self.background.job) if job is not None)

    def close(self, *, finish_job: bool) -> None:
        """Abandon every computation, but let the job stop with its result if it may finish."""
        for job in self.threads:
            if finish_job and job is self.job:
                job.stop()
            else:
                job.abandon(0)

    # The background measurement

    def _request(self) -> MeasurementRequest | None:
        """What to measure now; nothing while a job runs."""
        if self.job is not None:
            return None
        return request_for(self.state, needs_of(self.main_screen.visible_plots(self.state)))

    def _measured(self, request: MeasurementRequest, event: Event) -> None:
        self.state = with_event(self.state, request, event)
        self.main_screen.show_soon(self.state, self.activity)

    def _say_measuring(self, text: str) -> None:
        self.state = replace(self.state, measuring=text)
        self.main_screen.show_soon(self.state, self.activity)
