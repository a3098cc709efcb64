"""How to fine-tune: a row for each choice, with the line that explains it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Label

from tui.screens.form import RowsScreen
from tui.state.recipe_form import Choosing


class ChoicesScreen(RowsScreen[Choosing]):
    """Closes with what was chosen, or with nothing."""

    BINDINGS = [Binding("backspace", "reset", "as the recipe has it")]
    HINT = "↑↓ row · ←→ change · backspace resets · enter takes · escape leaves"

    def above(self) -> ComposeResult:
        """The title."""
        yield Label("How to fine-tune", classes="dialog--title")

    def action_reset(self) -> None:
        """Go back to what the recipe says."""
        self.choose(self.chosen.reset())
