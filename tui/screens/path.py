"""A dialog that asks for the path of a file."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label


class PathScreen(ModalScreen[str | None]):
    """Closes with the path that was typed, or with nothing.

    Args:
        title: what is done with the file.
        path: to begin with.
        hint: what the file is.
    """

    BINDINGS = [Binding("escape", "leave", "leave")]

    def __init__(self, title: str, path: str, hint: str) -> None:
        super().__init__()
        self._title = title
        self._path = path
        self._hint = hint

    def compose(self) -> ComposeResult:
        """A line for the path."""
        with Vertical(classes="dialog dialog--wide"):
            yield Label(self._title, classes="dialog--title")
            yield Input(self._path, id="path", compact=True)
            yield Label(self._hint, classes="dialog--hint")
            yield Label("enter takes it, escape leaves it", classes="dialog--hint")

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        box = self.query_one(Input)
        box.cursor_blink = False
        box.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the path."""
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Close without one."""
        self.dismiss(None)
