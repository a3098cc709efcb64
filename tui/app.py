"""The terminal program: passes each key and message to the feature that handles it."""

import os
import sys
from asyncio import AbstractEventLoop, get_running_loop, sleep
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from operator import attrgetter
from threading import get_ident
from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from tui.features.benchmarking import Benchmarking
from tui.features.exporting import Exporting
from tui.features.feature import is_available, why_unavailable
from tui.features.goals import Goals
from tui.features.history import History
from tui.features.layer_list import LayerList
from tui.features.planning import Planning
from tui.features.plots import Plots
from tui.features.program import Program
from tui.features.recipe_files import RecipeFiles
from tui.features.saved_plan import SavedPlans
from tui.features.scanning import Scanning
from tui.features.sweeps.sweeping import Sweeping
from tui.features.training import Training
from tui.jobs.backend import Backend
from tui.jobs.job import Job, JobEnded, JobEvent
from tui.keys.key import Key, bind, use_keys
from tui.keys.keymap import with_keys
from tui.keys.main_keys import KEYS
from tui.preferences.declared import NO_PREFERENCES, Preferences
from tui.preferences.first_start import remember_start
from tui.screens.main import MainScreen
from tui.screens.overlay import Overlay
from tui.screens.palette import Entries, Palette, PaletteEntry, entry_for
from tui.session import Session
from tui.state.state import State
from tui.system.error_boundary import Boundary
from tui.system.hangup import has_hung_up, raise_hangup
from tui.system.job_control import follow_shell, stop_until_continued
from tui.system.key_burst import KeyBurst
from tui.system.terminal_window import TerminalWindow
from tui.text.outside import printable
from tui.views.activity import JobProgress, Outcome
from tui.views.panels.title import window_title
from tui.widgets.layer_table import LayerTable
from tui.widgets.lines import RoleApp

TITLE_SECONDS = 1.0
"""The least time between two titles of the terminal's window."""

LONG_SECONDS = 20.0
"""How long a job takes whose end is worth a notification."""

HANGUP_SECONDS = 1.0
"""How often to look whether the terminal is still there."""


class FeatherweightApp(RoleApp):
    """The app: its features, and the keys and messages it passes to them.

    For each key, `tui.keys.main_keys` names a feature of this class and one of its actions, such as
    `training.prune`; `action_key` calls it.

    Attributes:
        boundary: prevents errors from ending the program.
        shows_tour: whether the tour opens at the start.
        ending: a signal ends the program; its job may end by itself.
    """

    TITLE = "Featherweight"
    COMMANDS = {Entries}
    CSS_PATH = ["featherweight.tcss", "colors.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False, priority=True)
    ]

    def __init__(self, backend: Backend, preferences: Preferences = NO_PREFERENCES) -> None:
        super().__init__()
        use_keys(preferences.keys)
        bind(self, KEYS)
        self.preferences = preferences
        self.shows_tour = False
        self.window = TerminalWindow(self._write_to_terminal, os.environ)
        self.ending = False
        self._running_loop: AbstractEventLoop | None = None
        self.boundary = Boundary(self)
        self.key_burst = KeyBurst(self)
        self.session = session = Session(self, backend, self._footer_keys)
        self.main_screen = session.main_screen
        self.planning = Planning(session)
        self.layer_list = LayerList(session)
        self.training = Training(session)
        self.scanning = Scanning(session)
        self.goals = Goals(session)
        self.sweeping = Sweeping(session)
        self.plots = Plots(session)
        self.benchmarking = Benchmarking(session)
        self.exporting = Exporting(session)
        self.recipe_files = RecipeFiles(session)
        self.history = History(session)
        self.saved_plans = SavedPlans(session)
        self.program = Program(session)

    def get_default_screen(self) -> MainScreen:
        """The main screen."""
        return self.main_screen

    def on_mount(self) -> None:
        """Show the first screen, complete in its first frame, then load everything."""
        self._running_loop = get_running_loop()
        if self.ending:
            self.exit()
        if self._driver is not None and self._driver.can_suspend:
            soon = self._soon
            follow_shell(
                lambda: soon(self.action_suspend_process), lambda: soon(self._take_terminal)
            )
            self.set_interval(HANGUP_SECONDS, self._end_without_terminal)
        self.set_interval(TITLE_SECONDS, self._show_title)
        self.session.activity = JobProgress("loading", monotonic())
        self.session.show(self.session.state)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Load everything; meanwhile say what is wrong with the settings, or show the tour."""
        self.training.open()
        if self.shows_tour:
            remember_start()
            self.action_tour()
        if self.preferences.problems:
            self._show_problems()

    def _show_problems(self) -> None:
        """Say what is wrong with the preferences, until a key closes it."""
        from tui.screens.help.screen import HelpScreen
        from tui.screens.help.sections import problem_sections

        sections = problem_sections(self.preferences.problems)
        self.push_screen(HelpScreen(sections, "Settings", tour=False))

    def on_unmount(self) -> None:
        """Save the plan, and abandon running jobs."""
        self.window.restore_title()
        self.saved_plans.autosave.flush()
        self.session.close(finish_job=self.ending)

    # The process

    def end(self) -> None:
        """Close the screen and stop the job, for a signal, which may come at any time."""
        self.ending = True
        self._soon(self.exit)

    def _end_without_terminal(self) -> None:
        """End as SIGHUP does if the terminal is gone, of which not every process is told.

        Textual would go on reading the end of the input, as fast as the processor can.
        """
        if not self.ending and has_hung_up(sys.__stdin__):
            raise_hangup()
            if not self.ending:  # SIGHUP is ignored
                self.end()

    def action_suspend_process(self) -> None:
        """Stop the program as the shell's Ctrl+Z does; `fg` continues it and draws it again."""
        stopped = False
        self.window.restore_title()
        with suppress(SuspendNotSupported), self.suspend():
            stopped = stop_until_continued()
        if not stopped:
            self.notify("there is no shell to return to")

    def _take_terminal(self) -> None:
        """Set the terminal up and draw again, after another program may have had it."""
        if not self.ending:
            self.window.forget_title()
            with self.suspend():
                pass

    def _show_title(self) -> None:
        """Say in the title of the terminal's window what runs, and how far it is."""
        net = self.session.backend.settings.short_name
        self.window.show_title(window_title(self.session.activity, net))

    def _write_to_terminal(self, text: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)
            self._driver.flush()

    def _soon(self, act: Callable[[], object]) -> None:
        """Call it in the event loop; safe in a signal handler."""
        if self._running_loop is not None:
            self._running_loop.call_soon_threadsafe(act)

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Handle an event, unless it is a key of pasted text, which must not trigger actions."""
        if isinstance(event, events.Resize):
            if self.output is not None:
                self.output.resize(*event.size)
            self.forget_shown()
            if event.size == self.size:  # another terminal may have attached
                self.refresh()
        if not self.key_burst.takes(event):
            if isinstance(event, events.Key):
                await self._laid_out()
            await super().on_event(event)

    async def _laid_out(self) -> None:
        """Wait for the widgets of a screen that has just opened: a key acts on them."""
        while self.screen_stack and not self.screen.is_mounted:
            await sleep(0)

    def feature_action(self, name: str) -> Callable[..., None]:
        """The action of a name such as `training.prune`."""
        action: Callable[..., None] = attrgetter(name)(self)
        return action

    def action_key(self, name: str, *arguments: Any) -> None:
        """Run the action of a key."""
        self.feature_action(name)(*arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action is available now; an open input line takes all keys."""
        return action != "key" or self._is_available(str(parameters[0]))

    def _is_available(self, name: str) -> bool:
        if self.session.typing and name != "program.help":
            return False
        return is_available(self.feature_action(name), self.session)

    def _footer_keys(self) -> tuple[Key, ...]:
        """The keys in the footer; none while an input line is open."""
        if self.session.typing:
            return ()
        return tuple(key for key in KEYS if key.footer and self._is_available(key.name))

    def palette_entries(self, screen: Screen[Any]) -> Iterator[PaletteEntry]:
        """The actions of a screen with their keys, in order, then those of every screen."""
        is_main = screen is self.main_screen
        for key in KEYS if is_main else getattr(screen, "KEYS", ()):
            why_not = self._why_not(key) if is_main else ""
            run = partial(self.run_action, default_namespace=None if is_main else screen)
            if not key.is_fixed:
                yield entry_for(key, run, why_not)
        for name, meaning, act in (
            ("theme", "Change the colors", self.action_change_theme),
            ("tour", "Show the tour again", self.action_tour),
            ("screenshot", "Save the screen as an SVG picture", self._picture_soon),
        ):
            yield PaletteEntry(name, "", meaning, act, group="Every screen")

    def _why_not(self, key: Key) -> str:
        """Why a key of the main screen does nothing now; empty if it does something."""
        action, session = self.feature_action(key.name), self.session
        if is_available(action, session):
            return ""
        return why_unavailable(key, action, session) or "nothing to do now"

    def _picture_soon(self) -> None:
        """Save a picture of the screen once the palette has left it."""
        self.set_timer(0.1, self.deliver_screenshot)

    def on_key(self, event: events.Key) -> None:
        """Type keys pressed while an input line was opening; explain unavailable ones.

        While a job runs, keys whose actions must wait for it are unbound and arrive here.
        """
        session, line, on_top = self.session, self.main_screen.line, self.screen is self.main_screen
        if line is not None and on_top and event.is_printable and event.character:
            event.prevent_default()
            line.type(event.character)
        elif on_top and not session.typing:
            keys = (key for key in KEYS if event.key in key.keys.split(","))
            reasons = (why_unavailable(key, self.feature_action(key.name), session) for key in keys)
            if reason := next(filter(None, reasons), ""):
                session.say(reason)

    def notify(self, message: str, **options: Any) -> None:
        """Show a message for a moment, in one place: the newest one replaces the one before.

        Actions in braces become their keys.
        """
        severity = options.get("severity", "information")
        act = partial(self._tell, printable(with_keys(message)), severity)
        if get_ident() == self._thread_id:
            act()
        else:
            self.call_later(act)

    def _tell(self, text: str, severity: SeverityLevel) -> None:
        """Show a message in the lines of the screen on top or, if it has none, above it."""
        role = "plain" if severity == "information" else severity
        screen = next(reversed(self.screen_stack), None)
        if screen is not self.main_screen:
            self.session.messages.add(text, role)
        with suppress(Exception):  # the error to be shown may be that these cannot be drawn
            if screen is self.main_screen:
                self.session.say(text, role)
                return
            if isinstance(screen, Overlay) and screen.say(text, role):
                return
        self.clear_notifications()
        super().notify(text, severity=severity, markup=False)

    def action_command_palette(self) -> None:
        """Open the command palette, on Textual's own Ctrl+P."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(placeholder="What do you want to do?", id="--command-palette"))

    def action_tour(self) -> None:
        """Show the tour."""
        from tui.screens.help.tour import TourScreen  # late: seldom needed, like all help

        self.push_screen(TourScreen())

    def action_explain(self) -> None:
        """Explain the dialog, and what has the focus in it."""
        from tui.screens.help.screen import HelpScreen
        from tui.screens.help.sections import context

        if sections := context(self.screen):
            self.push_screen(HelpScreen(sections))

    def action_help_quit(self) -> None:
        """Say how to quit, on Ctrl+C: many press it from habit."""
        stop = "{stop} stops the job · " if self.session.job else ""
        self.notify(stop + "{quit} quits")

    async def action_quit(self) -> None:
        """Quit, on Textual's own Ctrl+Q."""
        self.program.leave()

    # Messages

    @property
    def _shows(self) -> bool:
        """Whether there are screens to show anything on: when the program ends, they go first."""
        return self.is_running and not self.ending

    def on_main_screen_rearranged(self) -> None:
        """Measure what the plots need that became visible."""
        self.session.background.reconsider()

    def on_job_event(self, message: JobEvent) -> None:
        """Pass a job's event to the feature that started it."""
        if self._shows:
            message.job.follow(message.event)

    def on_job_ended(self, message: JobEnded) -> None:
        """Pass the end of a job to the feature that started it."""
        if not self._shows:
            return
        before, is_own = self.session.activity, message.job is self.session.job
        message.job.end(message)
        if is_own and isinstance(before, JobProgress):
            self._notify_end(before)

    def _notify_end(self, job: JobProgress) -> None:
        """Say outside of the screen that a long job has ended, unless it was stopped."""
        if monotonic() - job.since >= LONG_SECONDS and not job.stopping:
            ended = self.session.activity
            text = ended.text if isinstance(ended, Outcome) else f"{job.title}: done"
            self.window.notify(self.preferences.notify, text)

    def on_layer_table_mouse_action(self, message: LayerTable.MouseAction) -> None:
        """Pass on a mouse action in the layer table."""
        self.planning.on_mouse_action(message)

    # The session, as seen from outside

    @property
    def state(self) -> State:
        """What is on the screen, except for the job."""
        return self.session.state

    @property
    def activity(self) -> JobProgress | Outcome:
        """The running job, or the outcome of the last one."""
        return self.session.activity

    @property
    def job(self) -> Job | None:
        """The running job's thread."""
        return self.session.job

    @property
    def measuring(self) -> bool:
        """Whether the background measurement is running, or about to."""
        return self.session.background.busy
