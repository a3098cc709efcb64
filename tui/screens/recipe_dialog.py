"""The recipe dialog: a row for each setting of fine-tuning, with its meaning."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Label

from tui.screens.form_dialog import FormDialog
from tui.state.recipe_form import RecipeForm


class RecipeDialog(FormDialog[RecipeForm]):
    """Closes with the edited recipe."""

    BINDINGS = [Binding("backspace", "reset", "reset to the recipe")]
    HINT = "↑↓ row · ←→ change · Backspace reset · Enter apply · Esc cancel"

    def above(self) -> ComposeResult:
        """The title."""
        yield Label("Recipe", classes="dialog--title")

    def action_reset(self) -> None:
        """Reset the row to the recipe."""
        self.edit(self.form.reset())
