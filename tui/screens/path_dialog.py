"""A dialog that asks for the path of a file."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from core.errors import InputError
from tui.screens.overlay import Dialog
from tui.widgets.line_input import SteadyInput

LONGEST = 4096
"""Maximum characters of a path."""


class PathDialog(Dialog[str]):
    """Returns the typed path.

    Args:
        verb: what the file is for: "write" or "open".
        path: the initial path.
        hint: what the file is.
        what: the file in a word or two.
        check: raises InputError, which is shown, if the path cannot be used.
    """

    HELP = """
    # A file
    Type the path of a file; Enter takes it, Esc cancels. A recipe file is a small TOML file with
    the sparsities and the settings, to keep or to share: on the command line, run --config takes
    the same file.
    """

    def __init__(
        self,
        verb: str,
        path: str,
        hint: str,
        check: Callable[[str], object],
        what: str = "a recipe file",
    ) -> None:
        super().__init__()
        self._what = what
        self._verb, self._path, self._hint, self._check = verb, path, hint, check

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
