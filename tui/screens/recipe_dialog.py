"""The recipe dialog: a row for each setting of fine-tuning, with its meaning."""

from string import digits

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Label

from tui.screens.form_dialog import FormDialog
from tui.state.recipe_form import RecipeForm
from tui.widgets.inputs.number_input import NumberInput


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
    the right; a digit starts an exact number. An asterisk marks what differs from the recipe, –
    what has no effect with this method. One-shot prunes at once, then retrains; gradual raises the
    sparsity along the way; iterative prunes a little, retrains, and repeats. Enter applies, Esc
    changes nothing.
    """

    AUTO_FOCUS = ""
    BINDINGS = [
        Binding("backspace", "reset", "reset to the recipe"),
        *(Binding(digit, f"type('{digit}')", "exact value", show=False) for digit in digits),
    ]

    def __init__(
        self, form: RecipeForm, title: str = "Recipe", verb: str = "apply", no: str = "cancel"
    ) -> None:
        super().__init__(form)
        self.HINT = f"↑↓ row · ←→ 0-9 change · Backspace reset · Enter {verb} · Esc {no}"
        self._title = title

    def above(self) -> ComposeResult:
        """The title."""
        yield Label(self._title, classes="dialog--title", markup=False)

    def below(self) -> ComposeResult:
        """A line for an exact number, which takes the place of the keys."""
        yield NumberInput()

    @property
    def typing(self) -> bool:
        """Whether a number is being typed, which takes every key."""
        return self.query_one(NumberInput).display

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action is available: rows stay as they are while a number is typed."""
        return action not in ("move", "change") or not self.typing

    def action_type(self, digit: str) -> None:
        """Type the exact value of a row with a number."""
        if self.form.setting.kind.is_number:
            width = self.query_one("#rows").size.width
            line = self.query_one(NumberInput)
            line.ask(self.form.setting, digit, self.form.typed, self._take_typed, width)
            self.show()

    def _take_typed(self, form: RecipeForm | None) -> None:
        self.edit(self.form if form is None else form)

    def show(self) -> None:
        """Show the rows and, unless a number is typed, the hint."""
        super().show()
        if self.is_pushed:
            self.query_one("#rows-hint").display = not self.typing

    def action_reset(self) -> None:
        """Reset the row to the recipe."""
        self.edit(self.form.reset())
