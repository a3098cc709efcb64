"""Writing a net to a file: the file's name, and how it keeps the values."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Label

from tui.keeping import Keeping
from tui.lines import Span
from tui.screens.path import LONGEST
from tui.screens.rows import TITLE_WIDTH, RowsScreen
from tui.widgets.lines import LinesWidget


class ExportScreen(RowsScreen[Keeping]):
    """Closes with what was chosen, or with nothing.

    Args:
        what: the net that is written.
        keeping: to begin with.
    """

    BINDINGS = [Binding("tab", "move(1)", "row below")]
    HINT = "↑↓ row · ←→ change · enter writes it · escape leaves it"
    FIRST = 1

    def __init__(self, what: str, keeping: Keeping) -> None:
        super().__init__(keeping)
        self._what = what

    def above(self) -> ComposeResult:
        """The title, and a line for the file's name."""
        yield Label(f"Write {self._what} to a file", classes="dialog--title", markup=False)
        with Horizontal(id="export-line"):
            yield LinesWidget(id="export-file")
            yield Input(self.chosen.path, id="export-path", compact=True, max_length=LONGEST)

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        box = self.query_one(Input)
        box.cursor_blink = False
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name may mean another format."""
        event.stop()
        self.choose(replace(self.chosen, path=event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with what there is."""
        event.stop()
        self.action_take()

    def on_descendant_focus(self) -> None:
        """A click on the name chooses its row."""
        self.choose(replace(self.chosen, at=0))

    def choose(self, chosen: Keeping) -> None:
        """Have something else chosen; only the first row can be typed in."""
        super().choose(chosen)
        self.set_focus(None if chosen.at else self.query_one(Input))

    def show(self) -> None:
        """Show the rows, and whether the name is the one that is chosen."""
        super().show()
        role, sign = ("plain", "  ") if self.chosen.at else ("chosen", "▶ ")
        line = (Span(sign, "chosen"), Span("file".ljust(TITLE_WIDTH), role))
        self.query_one("#export-file", LinesWidget).lines = (line,)
