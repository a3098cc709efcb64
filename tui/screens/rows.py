"""A dialog of rows: the arrows choose one and change its value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from tui.choosing import Choosing, Row
from tui.keeping import Keeping
from tui.lines import Lines, Span, cut
from tui.screens.dialog import Dialog
from tui.widgets.lines import ROLE_CLASSES, LinesWidget

Chosen = TypeVar("Chosen", Choosing, Keeping)

TITLE_WIDTH, VALUE_WIDTH = 14, 15


class RowsScreen(Dialog[Chosen | None]):
    """Closes with what was chosen, or with nothing.

    Args:
        chosen: to begin with.
    """

    COMPONENT_CLASSES = ROLE_CLASSES
    BINDINGS = [
        Binding("up,k", "move(-1)", "row above"),
        Binding("down,j", "move(1)", "row below"),
        Binding("left", "change(-1)", "before"),
        Binding("right,space", "change(1)", "next"),
        Binding("shift+left,left_square_bracket", "change(-5)", "five before"),
        Binding("shift+right,right_square_bracket", "change(5)", "five on"),
        Binding("enter", "take", "take"),
        Binding("escape,q", "leave", "leave"),
    ]
    HINT = ""
    """What the keys do."""
    FIRST = 0
    """The index of the first row."""

    def __init__(self, chosen: Chosen) -> None:
        super().__init__()
        self.chosen: Chosen = chosen

    def compose(self) -> ComposeResult:
        """What is above the rows, the rows, and what is wrong with them."""
        with Vertical(classes="dialog dialog--wide"):
            yield from self.above()
            yield LinesWidget(id="rows")
            yield Static(self.HINT, classes="dialog--hint", id="rows-hint", markup=False)

    def above(self) -> ComposeResult:
        """What is above the rows: nothing, unless a screen has a title."""
        yield from ()

    def on_mount(self) -> None:
        """Show the rows when their width is known."""
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self.call_after_refresh(self.show)

    def action_move(self, steps: int) -> None:
        """Choose another row."""
        self.choose(self.chosen.move(steps))

    def action_change(self, steps: int) -> None:
        """Change the row's value."""
        self.choose(self.chosen.change(steps))

    def action_take(self) -> None:
        """Close with what was chosen, where it can be taken."""
        if not self.chosen.problem:
            self.dismiss(self.chosen)

    def action_leave(self) -> None:
        """Close without any."""
        self.dismiss(None)

    def choose(self, chosen: Chosen) -> None:
        """Have something else chosen."""
        self.chosen = chosen
        self.show()

    def show(self) -> None:
        """Show the rows, and what is wrong with them."""
        if not self.is_pushed:
            return
        rows, hint = self.query_one("#rows", LinesWidget), self.query_one("#rows-hint", Static)
        with rows.drawing():
            rows.lines = row_lines(self.chosen.rows(), self.chosen.at - self.FIRST, rows.size.width)
        rows.styles.height = len(rows.lines)
        hint.update(self.chosen.problem or self.HINT)
        hint.set_class(bool(self.chosen.problem), "wrong")


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
