"""The terminal program: its keys, and the job that is running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.css.query import NoMatches

from core.events import Batch, Epoch, Event, Measured, StopFlag, Stream
from core.plans import PRESETS, preset_plan
from tui import outcomes
from tui.backend import Backend
from tui.commands import KeyCommands
from tui.format import ratio
from tui.jobs import Done, Failed, Job, JobEnded, JobEvent
from tui.keys import BINDINGS, KEYS, Key
from tui.screens.dialogs import Choice, Question
from tui.screens.explore import ExploreScreen
from tui.screens.help import HelpScreen
from tui.state import Course, Result, State
from tui.views.activity import Outcome, Working
from tui.widgets.layer_table import LayerTable
from tui.widgets.value_input import ValueInput

if TYPE_CHECKING:
    from core.finetuning import FineTuned, Pruned
    from core.training import Trained
    from core.workbench import Net

IDLE_ACTIONS = {"prune", "finetune", "train", "adopt", "revert"}
PLAN_ACTIONS = {"layer", "nudge", "type_value", "spread", "reset_layer", "presets", "undo", "redo"}

PRESET_MEANINGS = {
    "moderate": "11.74 % of the size: 55, 80, 90, 90 and 60 %",
    "aggressive": "36.88x lighter: 65, 95, 98, 98 and 90 %",
    "uniform": "about a third of the size: 68 % for every layer",
}


class FeatherweightApp(App[None]):
    """Pick sparsities, prune, fine-tune and watch.

    Attributes:
        state: what the screen shows, but for the job.
        doing: the job that runs, or how the last one ended.
        job: its thread; None while none runs.
    """

    TITLE = "Featherweight"
    CSS_PATH = "featherweight.tcss"
    BINDINGS = BINDINGS
    COMMANDS = App.COMMANDS | {KeyCommands}

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.state = State(epochs=backend.settings.finetuning.epochs)
        self.doing: Working | Outcome = Outcome("")
        self.job: Job | None = None
        self.explore = ExploreScreen(backend.settings)
        self._jobs_started = 0
        self._finish: Callable[[Any], None] = lambda _: None
        # What the job applies to which base; its accuracy is the base's until it is measured.
        self._subject: Result | None = None

    def get_default_screen(self) -> ExploreScreen:
        """The main screen."""
        return self.explore

    def on_mount(self) -> None:
        """Show the first screen, complete in its first frame, then bring everything in."""
        self.doing = Working("loading", monotonic())
        self._show(self.state)
        self.call_after_refresh(self._open)

    def on_unmount(self) -> None:
        """Let go of the job: nobody is left to hear of it."""
        if self.job is not None:
            self.job.abandon(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action makes sense now; the line of keys leaves out the others."""
        state, free = self.state, self.job is None
        if self._typing and action in PLAN_ACTIONS | IDLE_ACTIONS | {"stop", "plot", "leave"}:
            return False
        match action:
            case "adopt":
                tuned = state.finetuned and state.finetuned.net
                return free and tuned is not None and tuned is not state.base
            case "revert":
                return free and (state.adopted or state.base is None)
            case "stop":
                return self.job is not None and not self.job.stopping
            case _ if action in IDLE_ACTIONS:
                return free and state.base is not None
            case _ if action in PLAN_ACTIONS:
                return state.base is not None
            case _:
                return True

    def on_key(self, event: events.Key) -> None:
        """Keys on their way while the line for a value opened belong to it."""
        if self._typing and event.is_printable and event.character:
            event.prevent_default()
            self.explore.query_one(ValueInput).type(event.character)

    @property
    def _typing(self) -> bool:
        try:
            return self.explore.query_one(ValueInput).display
        except NoMatches:
            return False

    def _show(self, state: State) -> None:
        self.state = state
        self.explore.show(state, self.doing, self._offered())

    def _offered(self) -> tuple[Key, ...]:
        """The keys that make sense now: none while they belong to the line for a value."""
        keys = () if self._typing else (key for key in KEYS if key.footer)
        return tuple(key for key in keys if self.check_action(key.name, ()))

    # Choosing sparsities

    def action_layer(self, steps: int) -> None:
        """Choose a layer above or below."""
        self._show(self.state.choose(self.state.chosen + steps))

    def action_nudge(self, steps: int) -> None:
        """Move the chosen layer's sparsity by whole percents."""
        self._show(self.state.nudge(steps))

    def action_type_value(self, digit: str) -> None:
        """Open the line in which an exact sparsity is typed."""
        index = self.state.chosen
        profile = self.state.profiles[index]
        self.explore.query_one(ValueInput).ask(index, profile.layer.name, profile.floor, digit)
        self._show(self.state)

    def on_value_input_taken(self, message: ValueInput.Taken) -> None:
        """Take the typed sparsity."""
        self._show(self.state.set_sparsity(message.index, message.sparsity))
        self.explore.query_one(LayerTable).focus()

    def on_value_input_left(self) -> None:
        """Leave the sparsity as it is."""
        self.explore.query_one(LayerTable).focus()
        self._show(self.state)

    def action_spread(self) -> None:
        """Give every layer the chosen one's sparsity."""
        self._show(self.state.spread())

    def action_reset_layer(self) -> None:
        """Reset the chosen layer to its floor."""
        self._show(self.state.set_sparsity(self.state.chosen, 0.0))

    def action_undo(self) -> None:
        """Take back the last change of the plan."""
        self._show(self.state.undo())

    def action_redo(self) -> None:
        """Make it again."""
        self._show(self.state.redo())

    def action_presets(self) -> None:
        """Offer the ready plans."""
        options = [(name, PRESET_MEANINGS[name]) for name in PRESETS]
        self.push_screen(Choice("Presets", options), self._take_preset)

    def _take_preset(self, name: str | None) -> None:
        if name is not None:
            self._show(self.state.set_plan(preset_plan(name, self.state.layer_names)))

    def on_layer_table_chosen(self, message: LayerTable.Chosen) -> None:
        """The mouse chose a layer, perhaps a sparsity."""
        state = self.state.choose(message.index)
        if message.sparsity is not None:
            state = state.set_sparsity(message.index, message.sparsity)
        self._show(state)

    def on_layer_table_nudged(self, message: LayerTable.Nudged) -> None:
        """The wheel turned over a layer."""
        self._show(self.state.choose(message.index).nudge(message.steps))

    # Jobs

    def action_prune(self) -> None:
        """Prune the base to the plan in one shot, and measure it."""
        base, plan = self.state.base, self.state.planned
        if base is None:
            return

        def finish(_: Pruned) -> None:
            if self.state.pruned is not None:
                self.doing = outcomes.pruned(self.state.pruned, self.state.dense)

        self._subject = Result(plan, base, base.accuracy, self.state.footprint)
        self._start("pruning", lambda stop: self.backend.prune(base, plan, stop), finish)

    def action_finetune(self) -> None:
        """Fine-tune the base to the plan, live."""
        base, plan, since = self.state.base, self.state.planned, monotonic()
        if base is None:
            return
        subject = Result(plan, base, base.accuracy, self.state.footprint)

        def finish(outcome: tuple[FineTuned, Net]) -> None:
            tuned, net = outcome
            seconds = monotonic() - since
            result = replace(subject, accuracy=tuned.accuracy, net=net, seconds=seconds)
            self.state = replace(self.state, finetuned=result)
            self.doing = outcomes.finetuned(result, tuned, self.state.dense)

        self._subject = subject
        self._watch_training(Course(self.state.epochs, finetuning=True))
        title = f"fine-tuning to {ratio(subject.footprint.ratio)}"
        self._start(title, lambda stop: self.backend.finetune(base, plan, stop), finish)

    def action_train(self) -> None:
        """Train a new dense net, if that is meant."""
        question = Question("Train a new dense net? It replaces the one that is open.", "train")
        self.push_screen(question, self._train)

    def _train(self, meant: bool | None) -> None:
        since = monotonic()

        def finish(outcome: tuple[Trained, Net]) -> None:
            result, net = outcome
            self.state = self.state.with_dense(net)
            self.doing = outcomes.trained(result, monotonic() - since)

        if meant:
            epochs = self.backend.settings.finetuning.dense.epochs
            self._watch_training(Course(epochs, finetuning=False))
            self._start("training", self.backend.train, finish)

    def action_stop(self) -> None:
        """Ask the job for an early end."""
        if self.job is not None and isinstance(self.doing, Working):
            self.job.stop()
            self.doing = replace(self.doing, stopping=True)
            self._show(self.state)

    def action_adopt(self) -> None:
        """Make the fine-tuned net the base."""
        self.doing = Outcome(
            "the fine-tuned net is the base now: its zeros are the floor of every plan",
            "raise sparsities and fine-tune again (Han's iteration); r goes back to dense",
        )
        self._show(self.state.adopt())

    def action_revert(self) -> None:
        """Make the dense net the base again; try again to open it where that failed."""
        if self.state.base is None:
            self._open()
            return
        self.doing = Outcome("the dense net is the base again", "u takes sparsities back")
        self._show(self.state.revert())

    def _watch_training(self, course: Course) -> None:
        """Begin a new curve, and have it in sight."""
        self.state = replace(self.state, course=course)
        if "accuracy" not in self.explore.visible_plots(self.state):
            self.state = self.state.show_plot("accuracy")

    def _open(self) -> None:
        self._start("loading", self.backend.open, self._opened)

    def _opened(self, net: Net) -> None:
        self.state = self.state.with_dense(net)
        self.doing = outcomes.opened(net)

    def _start(
        self,
        title: str,
        start: Callable[[StopFlag], Stream[Any]],
        finish: Callable[[Any], None],
    ) -> None:
        """Start a job and show it; `finish` takes its result. One runs at a time."""
        if self.job is not None:
            return
        self._jobs_started += 1
        self._finish = finish
        self.doing = Working(title, monotonic())
        self.job = Job(self._jobs_started, start, self.post_message)
        self.job.start()
        self._show(self.state)

    def on_job_event(self, message: JobEvent) -> None:
        """Take in what the job says; the screen follows at its own pace."""
        if self.job is None or message.job_id != self.job.id:
            return
        if isinstance(self.doing, Working):
            self.doing = self.doing.after(message.event)
        self._follow(message.event)
        self.explore.show_soon(self.state, self.doing)

    def _follow(self, event: Event) -> None:
        """Fold what the job says into the state."""
        course = self.state.course
        if course and isinstance(event, Batch):
            self.state = replace(self.state, course=course.after_batch(event))
        elif course and isinstance(event, Epoch):
            self.state = replace(self.state, course=course.after_epoch(event))
        elif isinstance(event, Measured) and event.stage == "pruned" and self._subject:
            pruned = replace(self._subject, accuracy=event.accuracy)
            self.state = replace(self.state, pruned=pruned)

    def on_job_ended(self, message: JobEnded) -> None:
        """Take the result, or show why there is none."""
        if self.job is None or message.job_id != self.job.id:
            return
        self.job = None
        match message.outcome:
            case Done(value):
                self._finish(value)
            case Failed(error):
                self.log.error(error)
                self.doing = outcomes.failed(error, is_open=self.state.base is not None)
        self._show(self.state)

    # Looking, leaving

    def action_plot(self, steps: int) -> None:
        """Show another plot."""
        self._show(self.state.next_plot(steps))

    def action_help(self) -> None:
        """Show every key and what the numbers mean."""
        self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Leave; Textual's own ctrl+q comes here too."""
        self.action_leave()

    def action_leave(self) -> None:
        """Leave, at once where no work would be lost."""
        if isinstance(self.screen, Question):
            return
        working = self.doing if isinstance(self.doing, Working) else None
        if working is None or (self.state.base is None and working.batch is None):
            self.exit()
            return
        question = Question(f"Leave while {working.title} runs? Its work is lost.", "leave")
        self.push_screen(question, lambda leave: self.exit() if leave else None)
