"""The recipe dialog: a row for each setting of fine-tuning, with its meaning."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Label

from tui.screens.form_dialog import FormDialog
from tui.state.recipe_form import RecipeForm


class RecipeDialog(FormDialog[RecipeForm]):
    """Closes with the edited recipe.

    Args:
        title: the dialog's title, such as a question.
        verb: what Enter does.
        no: what Esc does.
    """

    HELP = """
    # The recipe
    How a net is trained: the arrow keys choose a row and change its value, whose meaning is at
    the right. An asterisk marks what differs from the recipe, – what has no effect with this
    method. One-shot prunes at once, then retrains; gradual raises the sparsity along the way;
    iterative prunes a little, retrains, and repeats. Enter applies, Esc changes nothing.
    """

    BINDINGS = [Binding("backspace", "reset", "reset to the recipe")]

    def __init__(
        self, form: RecipeForm, title: str = "Recipe", verb: str = "apply", no: str = "cancel"
    ) -> None:
        super().__init__(form)
        self.HINT = f"↑↓ row · ←→ change · Backspace reset · Enter {verb} · Esc {no}"
        self._title = title

    def above(self) -> ComposeResult:
        """The title."""
        yield Label(self._title, classes="dialog--title", markup=False)

    def action_reset(self) -> None:
        """Reset the row to the recipe."""
        self.edit(self.form.reset())
