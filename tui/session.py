"""What all parts of the app share: the state, the screen that shows it, the job that runs."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from textual import events
from textual.app import App
from textual.notifications import SeverityLevel
from textual.timer import Timer
from textual.widgets import Input

from core.events import Event, StopFlag, Stream
from tui import outcomes
from tui.autosave import Autosave
from tui.backend import Backend
from tui.boundary import Boundary
from tui.jobs import Done, Failed, Job, JobEnded, JobEvent
from tui.key_burst import GAP, KeyBurst
from tui.keys import KEYS, Key
from tui.screens.explore import ExploreScreen
from tui.state import State
from tui.views.activity import Outcome, Working

Finish = Callable[[Any], None]


class Session(App[None]):
    """A state, a screen and at most one job.

    Attributes:
        state: what the screen shows, but for the job.
        doing: the job that runs, or how the last one ended.
        job: its thread; None while none runs.
        boundary: what keeps an error from ending the program.
        autosave: what keeps the plan on disk as it stands.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.boundary = Boundary(self)
        self.backend = backend
        self.autosave = Autosave(self, backend.settings)
        self.state = State(settings=backend.settings)
        self.doing: Working | Outcome = Outcome("")
        self.job: Job | None = None
        self.explore = ExploreScreen()
        self._jobs_started = 0
        self._finish: Finish = lambda _: None
        self._burst = KeyBurst()
        self._paste: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Keep a text that arrives as single keys from pressing them; a line takes it whole."""
        if not isinstance(event, events.Key) or event.is_forwarded or not self._burst.takes(event):
            await super().on_event(event)
        elif self._paste is None:
            self._paste = self.set_timer(2 * GAP, self._paste_burst)
        else:
            self._paste.reset()

    def _paste_burst(self) -> None:
        self._paste, text = None, self._burst.text()
        if not self.screen_stack:  # the program is being left
            return
        if isinstance(self.focused, Input):
            self.post_message(events.Paste(text))
        else:
            self.notify(f"ignored a pasted text of {len(text):,} characters", markup=False)

    def get_default_screen(self) -> ExploreScreen:
        """The main screen."""
        return self.explore

    @property
    def threads(self) -> tuple[Job, ...]:
        """What computes at the moment: a process must not end by itself while torch works."""
        return () if self.job is None else (self.job,)

    def on_unmount(self) -> None:
        """Let go of the job: nobody is left to hear of it. Save the plan."""
        self.autosave.flush()
        if self.job is not None:
            self.job.abandon(0)

    @property
    def typing(self) -> bool:
        """A line is open to be typed in, and the keys are its own."""
        return self.explore.line is not None

    def show(self, state: State) -> None:
        """Take on a state and show it."""
        passing = isinstance(self.doing, Outcome) and self.doing.passing
        if passing and state.planned != self.state.planned:
            self.doing = Outcome("")
        self.state = state
        self.autosave.follow(state)
        self.explore.show(state, self.doing, self.offered())

    def offered(self) -> tuple[Key, ...]:
        """The keys that make sense now: none while they belong to a line."""
        keys = () if self.typing else (key for key in KEYS if key.footer)
        return tuple(key for key in keys if self.check_action(key.name, ()))

    def say(self, outcome: Outcome) -> None:
        """Say how something ended; beside a job that runs, whose lines stay its own."""
        if self.job is None:
            self.doing = outcome
        else:
            severity: SeverityLevel = "error" if outcome.role == "error" else "information"
            self.notify(outcome.text, severity=severity, markup=False)

    def bring_into_sight(self, plot: str) -> None:
        """Have a plot on the screen, in front where it was not there."""
        if plot not in self.explore.visible_plots(self.state):
            self.state = self.state.show_plot(plot)

    def with_kept_scan(self, state: State) -> State:
        """The state with what an earlier session has scanned of its base."""
        base = state.base
        if base is None or base.digest in state.scans:
            return state
        scan = self.backend.kept_scan(base)
        return state if scan is None else state.with_scan(base.digest, scan)

    def start_job(
        self, title: str, start: Callable[[StopFlag], Stream[Any]], finish: Finish
    ) -> None:
        """Start a job and show it; `finish` takes its result. One runs at a time."""
        if self.job is not None:
            return
        self._finish = finish
        self.doing = Working(title, monotonic())
        self._jobs_started += 1
        self.job = Job(self._jobs_started, start, self.post_message)
        self.job.start()
        self.show(self.state)

    def follow(self, event: Event) -> None:
        """Fold what the job says into the state."""

    def on_job_event(self, message: JobEvent) -> None:
        """Take in what the job says; the screen follows at its own pace."""
        if self.job is None or message.job_id != self.job.id:
            return
        if isinstance(self.doing, Working):
            self.doing = self.doing.after(message.event)
        self.follow(message.event)
        self.explore.show_soon(self.state, self.doing)

    def on_job_ended(self, message: JobEnded) -> None:
        """Take the result, or show why there is none."""
        if self.job is None or message.job_id != self.job.id:
            return
        self.job = None
        match message.outcome:
            case Done(value):
                try:
                    self._finish(value)
                except Exception as error:
                    self._fail(error)
            case Failed(error):
                self._fail(error)
        self.show(self.state)

    def _fail(self, error: BaseException) -> None:
        self.doing = outcomes.failed(error, is_open=self.state.base is not None)
