"""Writing a net to a file: the file's name, and how it keeps the values."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from tui.keeping import Keeping
from tui.lines import Span
from tui.screens.choices import TITLE_WIDTH, row_lines
from tui.widgets.lines import ROLE_CLASSES, LinesWidget

HINT = "↑↓ row · ←→ change · enter writes it · escape leaves it"


class ExportScreen(ModalScreen[Keeping | None]):
    """Closes with what was chosen, or with nothing.

    Args:
        what: the net that is written.
        keeping: to begin with.
    """

    COMPONENT_CLASSES = ROLE_CLASSES
    BINDINGS = [
        Binding("up,k", "move(-1)", "row above"),
        Binding("down,j,tab", "move(1)", "row below"),
        Binding("left", "change(-1)", "before"),
        Binding("right,space", "change(1)", "next"),
        Binding("shift+left,left_square_bracket", "change(-5)", "five before"),
        Binding("shift+right,right_square_bracket", "change(5)", "five on"),
        Binding("enter", "take", "write"),
        Binding("escape,q", "leave", "leave"),
    ]

    def __init__(self, what: str, keeping: Keeping) -> None:
        super().__init__()
        self.keeping = keeping
        self._what = what

    def compose(self) -> ComposeResult:
        """A line for the file's name, the rows, and what is wrong with them."""
        with Vertical(classes="dialog dialog--wide"):
            yield Label(f"Write {self._what} to a file", classes="dialog--title", markup=False)
            with Horizontal(id="export-line"):
                yield LinesWidget(id="export-file")
                yield Input(self.keeping.path, id="export-path", compact=True)
            yield LinesWidget(id="export-rows")
            yield Static(HINT, classes="dialog--hint", id="export-hint", markup=False)

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        box = self.query_one(Input)
        box.cursor_blink = False
        box.focus()
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self.call_after_refresh(self._show)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another name may mean another format."""
        event.stop()
        self.keeping = replace(self.keeping, path=event.value)
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with what there is."""
        event.stop()
        self.action_take()

    def action_move(self, steps: int) -> None:
        """Choose another row; only the first one can be typed in."""
        self.keeping = self.keeping.move(steps)
        self.set_focus(None if self.keeping.at else self.query_one(Input))
        self._show()

    def action_change(self, steps: int) -> None:
        """Change the row's value."""
        self.keeping = self.keeping.change(steps)
        self._show()

    def action_take(self) -> None:
        """Close with the choices, where they can be taken."""
        if not self.keeping.problem:
            self.dismiss(self.keeping)

    def action_leave(self) -> None:
        """Close without any."""
        self.dismiss(None)

    def on_descendant_focus(self) -> None:
        """A click on the name chooses its row."""
        self.keeping = replace(self.keeping, at=0)
        self._show()

    def _show(self) -> None:
        keeping, rows = self.keeping, self.query_one("#export-rows", LinesWidget)
        lines = row_lines(keeping.rows(), keeping.at - 1, rows.size.width)
        rows.styles.height = len(lines)
        rows.lines = lines
        role = "plain" if keeping.at else "chosen"
        sign = Span("  " if keeping.at else "▶ ", "chosen")
        name = self.query_one("#export-file", LinesWidget)
        name.lines = ((sign, Span("file".ljust(TITLE_WIDTH), role)),)
        hint = self.query_one("#export-hint", Static)
        hint.update(keeping.problem or HINT)
        hint.set_class(bool(keeping.problem), "wrong")
