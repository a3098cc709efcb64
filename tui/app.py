"""The terminal program: it passes each key and each message to the feature that owns it."""

from collections.abc import Callable
from operator import attrgetter
from time import monotonic
from typing import Any

from textual import events, on
from textual.app import App

from tui.features.availability import is_available, waits
from tui.features.benchmarking import Benchmarking
from tui.features.exporting import Exporting
from tui.features.goals import Goals
from tui.features.history import History
from tui.features.layer_list import LayerList
from tui.features.planning import Planning
from tui.features.plots import Plots
from tui.features.program import Program
from tui.features.recipe_files import RecipeFiles
from tui.features.saved_plan import SavedPlans
from tui.features.scanning import Scanning
from tui.features.training import Training
from tui.jobs.backend import Backend
from tui.jobs.job import Job, JobEnded, JobEvent
from tui.keys.keys import BINDINGS, KEYS, Key
from tui.screens.main import ExploreScreen
from tui.screens.palette import KeyCommands
from tui.session import Session
from tui.state.state import State
from tui.system.boundary import Boundary
from tui.system.key_burst import KeyBurst
from tui.views.activity import JobProgress, Outcome
from tui.widgets.find_input import FindInput
from tui.widgets.layer_table import LayerTable
from tui.widgets.value_input import ValueInput


class FeatherweightApp(App[None]):
    """Pick sparsities, prune, fine-tune and watch.

    `tui.keys.keys` names for each key a feature of this class and its action, as in
    `training.prune`; `action_key` calls that.

    Attributes:
        boundary: keeps an error from ending the program.
    """

    TITLE = "Featherweight"
    VERTICAL_BREAKPOINTS = [(0, "-compact"), (24, "-roomy")]
    CSS_PATH = ["featherweight.tcss", "colors.tcss"]
    BINDINGS = BINDINGS
    COMMANDS = App.COMMANDS | {KeyCommands}

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.boundary = Boundary(self)
        self.key_burst = KeyBurst(self)
        self.session = session = Session(self, backend, self._offered)
        self.explore = session.explore
        self.planning = Planning(session)
        self.layer_list = LayerList(session)
        self.training = Training(session)
        self.scanning = Scanning(session)
        self.goals = Goals(session)
        self.plots = Plots(session)
        self.benchmarking = Benchmarking(session)
        self.exporting = Exporting(session)
        self.recipe_files = RecipeFiles(session)
        self.history = History(session)
        self.saved_plans = SavedPlans(session)
        self.program = Program(session)

    def get_default_screen(self) -> ExploreScreen:
        """The main screen."""
        return self.explore

    def on_mount(self) -> None:
        """Show the first screen, complete in its first frame, then bring everything in."""
        self.session.doing = JobProgress("loading", monotonic())
        self.session.show(self.session.state)
        self.call_after_refresh(self.training.open)

    def on_unmount(self) -> None:
        """Save the plan, and let go of what computes."""
        self.saved_plans.autosave.flush()
        self.session.close()

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Keep a text that arrives as single keys from pressing them."""
        if not self.key_burst.takes(event):
            await super().on_event(event)

    def feature_action(self, name: str) -> Callable[..., None]:
        """The action that a name such as `training.prune` stands for."""
        action: Callable[..., None] = attrgetter(name)(self)
        return action

    def action_key(self, name: str, *arguments: Any) -> None:
        """Do what a key does."""
        self.feature_action(name)(*arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action makes sense now; while a line is open, keys are its own."""
        return action != "key" or self._makes_sense(str(parameters[0]))

    def _makes_sense(self, name: str) -> bool:
        if self.session.typing and name != "program.help":
            return False
        return is_available(self.feature_action(name), self.session)

    def _offered(self) -> tuple[Key, ...]:
        """The keys to offer at the bottom of the screen: none while they belong to a line."""
        if self.session.typing:
            return ()
        return tuple(key for key in KEYS if key.footer and self._makes_sense(key.name))

    def on_key(self, event: events.Key) -> None:
        """Pass keys pressed while an input line was opening to it; explain unavailable keys.

        A key that has to wait for the job that runs is no binding meanwhile, and comes here.
        """
        session = self.session
        line, on_top = self.explore.line, self.screen is self.explore
        if line is not None and on_top and event.is_printable and event.character:
            event.prevent_default()
            line.type(event.character)
        elif session.job is not None and on_top and not session.typing:
            for key in KEYS:
                if event.key in key.keys.split(",") and waits(self.feature_action(key.name)):
                    text = f"{key.label}: not while a job is running; press x to stop it"
                    self.notify(text, markup=False)

    def action_command_palette(self) -> None:
        """Offer every command, by Textual's own ctrl+p."""
        self.program.open_palette()

    async def action_quit(self) -> None:
        """Leave, by Textual's own ctrl+q."""
        self.program.leave()

    # Messages of jobs

    def on_job_event(self, message: JobEvent) -> None:
        """Give what a job reports to whoever started it."""
        message.job.follow(message.event)

    def on_job_ended(self, message: JobEnded) -> None:
        """Give the end of a job to whoever started it."""
        message.job.end(message)

    # Messages of widgets

    @on(ValueInput.Taken)
    def _value_taken(self, message: ValueInput.Taken) -> None:
        self.planning.on_value_taken(message)

    @on(ValueInput.Left)
    @on(FindInput.Taken)
    def _line_closed(self) -> None:
        self.session.focus_table()

    @on(LayerTable.Chosen)
    def _row_chosen(self, message: LayerTable.Chosen) -> None:
        self.planning.on_row_chosen(message)

    @on(LayerTable.Nudged)
    def _row_nudged(self, message: LayerTable.Nudged) -> None:
        self.planning.on_row_nudged(message)

    @on(FindInput.Typed)
    def _layers_typed(self, message: FindInput.Typed) -> None:
        self.layer_list.on_typed(message)

    @on(FindInput.Left)
    def _layers_left(self) -> None:
        self.layer_list.on_left()

    # What there is to see from outside

    @property
    def state(self) -> State:
        """What is on the screen, except for the job."""
        return self.session.state

    @property
    def doing(self) -> JobProgress | Outcome:
        """The job that runs, or how the last one ended."""
        return self.session.doing

    @property
    def job(self) -> Job | None:
        """The thread of the job that runs."""
        return self.session.job

    @property
    def looking(self) -> bool:
        """The background measurement runs, or is about to."""
        return self.session.background.busy

    @property
    def threads(self) -> tuple[Job, ...]:
        """What computes now."""
        return self.session.threads
