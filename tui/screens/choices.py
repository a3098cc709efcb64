"""How to fine-tune: a row for each choice, with the line that explains it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from tui.choosing import Choosing, Row
from tui.lines import Lines, Span, cut
from tui.widgets.lines import ROLE_CLASSES, LinesWidget

TITLE_WIDTH, VALUE_WIDTH = 14, 15
HINT = "↑↓ row · ←→ change · backspace resets · enter takes · escape leaves"


class ChoicesScreen(ModalScreen[Choosing | None]):
    """Closes with what was chosen, or with nothing."""

    COMPONENT_CLASSES = ROLE_CLASSES
    BINDINGS = [
        Binding("up,k", "move(-1)", "row above"),
        Binding("down,j", "move(1)", "row below"),
        Binding("left", "change(-1)", "before"),
        Binding("right,space", "change(1)", "next"),
        Binding("shift+left,left_square_bracket", "change(-5)", "five before"),
        Binding("shift+right,right_square_bracket", "change(5)", "five on"),
        Binding("backspace", "reset", "as the recipe has it"),
        Binding("enter", "take", "take"),
        Binding("escape,q", "leave", "leave"),
    ]

    def __init__(self, choosing: Choosing) -> None:
        super().__init__()
        self.choosing = choosing

    def compose(self) -> ComposeResult:
        """A title, the rows, and what is wrong with them."""
        with Vertical(classes="dialog dialog--wide"):
            yield Label("How to fine-tune", classes="dialog--title")
            yield LinesWidget(id="choices")
            yield Label(HINT, classes="dialog--hint", id="choices-hint")

    def on_mount(self) -> None:
        """Show the rows when their width is known."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self.call_after_refresh(self._show)

    def action_move(self, steps: int) -> None:
        """Choose another row."""
        self._choose(self.choosing.move(steps))

    def action_change(self, steps: int) -> None:
        """Change the row's value."""
        self._choose(self.choosing.change(steps))

    def action_reset(self) -> None:
        """Go back to what the recipe says."""
        self._choose(self.choosing.reset())

    def action_take(self) -> None:
        """Close with the choices, where they can be taken."""
        if not self.choosing.problem:
            self.dismiss(self.choosing)

    def action_leave(self) -> None:
        """Close without any."""
        self.dismiss(None)

    def _choose(self, choosing: Choosing) -> None:
        self.choosing = choosing
        self._show()

    def _show(self) -> None:
        rows = self.query_one("#choices", LinesWidget)
        lines = row_lines(self.choosing.rows(), self.choosing.at, rows.size.width)
        rows.styles.height = len(lines)
        rows.lines = lines
        hint = self.query_one("#choices-hint", Label)
        hint.update(self.choosing.problem or HINT)
        hint.set_class(bool(self.choosing.problem), "wrong")


def row_lines(rows: Sequence[Row], at: int, width: int) -> Lines:
    """A line for each row: its title, its value, and its meaning as far as there is room."""
    lines = []
    for index, row in enumerate(rows):
        chosen = index == at
        role = "chosen" if chosen else ("muted" if row.idle else "plain")
        value = ("–" if row.idle else row.value) + ("*" if row.changed else "")
        room = max(0, width - 4 - TITLE_WIDTH - VALUE_WIDTH)
        lines.append(
            (
                Span("▶ " if chosen else "  ", "chosen"),
                Span(row.title.ljust(TITLE_WIDTH), role),
                Span(value.ljust(VALUE_WIDTH), "kept" if row.changed else role),
                Span(cut(row.meaning, room), "muted"),
            )
        )
    return tuple(lines)
