"""The terminal program: which keys make sense now, and the screens beside the main one."""

from __future__ import annotations

from time import monotonic

from textual import events
from textual.app import App

from tui.commands import KeyCommands, Palette
from tui.exploring import Exploring
from tui.exporting import Exporting
from tui.finding import Finding
from tui.keys import BINDINGS, KEYS
from tui.looking import Looking
from tui.planning import Planning
from tui.racing import Racing
from tui.returning import Returning
from tui.screens.dialogs import Question
from tui.screens.help import HelpScreen
from tui.sharing import Sharing
from tui.views.activity import Working

IDLE_ACTIONS = {"prune", "finetune", "train", "adopt", "revert", "scan", "export", "bench"}
PLAN_ACTIONS = {
    "layer", "nudge", "type_value", "spread", "reset_layer", "lock", "presets", "undo", "redo",
    "choices", "goal", "tolerate", "digits", "more_digits", "history",
    "write_recipe", "open_recipe", "find", "of_kind",
}  # fmt: skip
_OF_KEYS = {key.name for key in KEYS} - {"help"}
"""What no key does while a line is open to be typed in."""


class FeatherweightApp(
    Planning, Finding, Exploring, Exporting, Returning, Sharing, Racing, Looking
):
    """Pick sparsities, prune, fine-tune and watch."""

    TITLE = "Featherweight"
    VERTICAL_BREAKPOINTS = [(0, "-compact"), (24, "-roomy")]
    CSS_PATH = "featherweight.tcss"
    BINDINGS = BINDINGS
    COMMANDS = App.COMMANDS | {KeyCommands}

    def on_mount(self) -> None:
        """Show the first screen, complete in its first frame, then bring everything in."""
        self.doing = Working("loading", monotonic())
        self.show(self.state)
        self.call_after_refresh(self.open_dense)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action makes sense now; the line of keys leaves out the others."""
        state, free = self.state, self.job is None
        if self.typing and action in _OF_KEYS:
            return False
        match action:
            case "adopt":
                tuned = state.finetuned and state.finetuned.net
                return free and tuned is not None and tuned is not state.base
            case "revert":
                return free and (state.adopted or state.base is None)
            case "stop":
                return self.job is not None and not self.job.stopping
            case "unfind":
                return bool(state.listing.filter)
            case "fold" | "fold_all":
                return bool(state.listing.groups and not state.listing.filter)
            case _ if action in IDLE_ACTIONS:
                return free and state.base is not None
            case _ if action in PLAN_ACTIONS:
                return state.base is not None
            case _:
                return True

    def on_key(self, event: events.Key) -> None:
        """Keys on their way while a line opened belong to it; others may say why not.

        A key that has to wait for the job that runs is no binding meanwhile, and comes here.
        """
        line = self.explore.line
        on_top = self.screen is self.explore
        if line is not None and on_top and event.is_printable and event.character:
            event.prevent_default()
            line.type(event.character)
        elif self.job is not None and on_top and not self.typing:
            for key in KEYS:
                if event.key in key.keys.split(",") and key.name in IDLE_ACTIONS:
                    text = f"{key.label} has to wait: a job runs, x stops it"
                    self.notify(text, markup=False)

    def action_plot(self, steps: int) -> None:
        """Show another plot."""
        self.show(self.state.next_plot(steps))

    def action_help(self) -> None:
        """Show every key and what the numbers mean."""
        self.push_screen(HelpScreen())

    def action_command_palette(self) -> None:
        """Offer every command by its name."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

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
        recorded = working.epoch is not None and self.state.base is not None
        lost = "h can take it up again after its last epoch." if recorded else "Its work is lost."
        question = Question(f"Leave while {working.title} runs? {lost}", "leave")
        self.push_screen(question, lambda leave: self.exit() if leave else None)
