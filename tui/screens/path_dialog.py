"""A dialog that asks for the path of a file."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from core.errors import InputError
from tui.screens.overlay import Dialog
from tui.widgets.inputs.line_input import SteadyInput

LONGEST = 4096
"""Maximum characters of a path."""


class PathDialog(Dialog[str]):
    """Returns the typed path; subclasses explain the file.

    Args:
        verb: what the file is for: "write" or "open".
        path: the initial path.
        what: the file in a word or two.
        hint: what the file is.
        check: raises InputError, which is shown, if the path cannot be used.
    """

    def __init__(
        self, verb: str, path: str, what: str, hint: str, check: Callable[[str], object]
    ) -> None:
        super().__init__()
        self._verb, self._path, self._check = verb, path, check
        self._what, self._hint = what, hint

    def compose(self) -> ComposeResult:
        """A line for the path."""
        with Vertical(classes="dialog dialog--wide"):
            yield Label(f"{self._verb.capitalize()} {self._what}", classes="dialog--title")
            yield SteadyInput(self._path, id="path", compact=True, max_length=LONGEST)
            yield Static(self._hint, classes="dialog--hint", id="path-hint", markup=False)
            yield Label(f"Enter {self._verb} · Esc cancel", classes="dialog--hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the path, or show what is wrong with it."""
        event.stop()
        path, hint = event.value.strip(), self.query_one("#path-hint", Static)
        if not path:
            return
        try:
            self._check(path)
        except InputError as error:
            hint.update(str(error))
            hint.set_class(True, "wrong")
        else:
            self.dismiss(path)
