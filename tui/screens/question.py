"""Dialogs with a yes-or-no question or a choice from a list."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.screens.overlay import Dialog


class Question(Dialog[bool]):
    """A yes-or-no question: y or Enter is yes, n or Esc is no."""

    BINDINGS = [
        Binding("y,enter", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, text: str, yes: str, no: str = "cancel") -> None:
        super().__init__()
        self._text, self._yes, self._no = text, yes, no

    def compose(self) -> ComposeResult:
        """Lay out the question and its two answers."""
        with Vertical(classes="dialog"):
            yield Label(self._text, classes="dialog--title", markup=False)
            hint = f"y or Enter: {self._yes}    n or Esc: {self._no}"
            yield Label(hint, classes="dialog--hint", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class Choice(Dialog[str]):
    """A list of names and their meanings; Enter picks one, Esc cancels."""

    HELP = """
    # A choice
    The arrow keys move, Enter picks, and Esc leaves all as it was.
    """

    BINDINGS = [
        Binding("q", "leave", "close"),
        Binding("j", "app.simulate_key('down')", show=False),
        Binding("k", "app.simulate_key('up')", show=False),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        """Lay out the title and the options."""
        options = [Option(f"{name}\n  {meaning}", id=name) for name, meaning in self._options]
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog--title", markup=False)
            yield OptionList(*options, markup=False)
            yield Label("Enter apply · Esc cancel", classes="dialog--hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close and return the option's name."""
        self.dismiss(event.option.id)
