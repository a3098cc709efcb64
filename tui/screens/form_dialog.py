"""A dialog with a form: the arrow keys move between its rows and change their values."""

from collections.abc import Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from tui.screens.overlay import DIALOG_ROLES, Dialog
from tui.state.export_form import ExportForm
from tui.state.recipe_form import FormRow, RecipeForm
from tui.state.sweep.form import SweepForm
from tui.text.lines import Line, Lines, Span, cut
from tui.widgets.lines import LinesWidget

Form = TypeVar("Form", RecipeForm, ExportForm, SweepForm)

TITLE_WIDTH, VALUE_WIDTH = 14, 15
"""Least cells of a row's title and of its value; long values widen their column."""


class FormDialog(Dialog[Form]):
    """Closes with the edited form."""

    COMPONENT_CLASSES = DIALOG_ROLES
    BINDINGS = [
        Binding("up,k", "move(-1)", "row above"),
        Binding("down,j", "move(1)", "row below"),
        Binding("left", "change(-1)", "previous value"),
        Binding("right,space", "change(1)", "next value"),
        Binding("shift+left,left_square_bracket", "change(-5)", "five values back"),
        Binding("shift+right,right_square_bracket", "change(5)", "five values forward"),
        Binding("enter", "take", "apply"),
        Binding("q", "leave", "cancel"),
    ]
    HINT = ""
    """The keys."""
    is_unfilled = True
    FIRST = 0
    """The index of the first row."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form: Form = form

    def compose(self) -> ComposeResult:
        """The header, the rows, and the hint or the form's problem."""
        with Vertical(classes="dialog dialog--wide dialog--form"):
            yield from self.above()
            yield LinesWidget(id="rows")
            yield from self.below()
            yield Static(self.hint, classes="dialog--hint", id="rows-hint", markup=False)

    def above(self) -> ComposeResult:
        """The header: empty unless a subclass adds one."""
        yield from ()

    def below(self) -> ComposeResult:
        """What is between the rows and the hint: nothing unless a subclass adds it."""
        yield from ()

    @property
    def hint(self) -> str:
        """What is below the rows while the form has no problem: the keys."""
        return self.HINT

    def on_resize(self) -> None:
        """Fit the rows to the width."""
        self.fill_by(self.show)

    def action_move(self, steps: int) -> None:
        """Move to another row."""
        self.edit(self.form.move(steps))

    def action_change(self, steps: int) -> None:
        """Change the row's value."""
        self.edit(self.form.change(steps))

    def action_take(self) -> None:
        """Close with the form, unless it has a problem."""
        if not self.form.problem:
            self.dismiss(self.form)

    def edit(self, form: Form) -> None:
        """Replace the form."""
        self.form = form
        self.show()

    @property
    def _room(self) -> int:
        """How many rows fit between the header and the hint."""
        height = self.size.height
        return max(3, height - 4 if self.has_class("-compact") else 9 * height // 10 - 8)

    def show(self) -> None:
        """Show the rows around the one selected, and the hint or the form's problem."""
        if not self.is_pushed:
            return
        rows, hint = self.query_one("#rows", LinesWidget), self.query_one("#rows-hint", Static)
        at = self.form.at - self.FIRST
        lines = row_lines(self.form.rows(), at, rows.size.width)
        with rows.drawing():
            rows.lines = around(lines, at, self._room)
        rows.styles.height = len(rows.lines)
        hint.update(self.form.problem or self.hint)
        hint.set_class(bool(self.form.problem), "wrong")


def around(lines: Lines, at: int, room: int) -> Lines:
    """The lines around one of them, at most `room` >= 3; says how many are left out at each end."""
    start = max(0, min(at - room // 2, len(lines) - room))
    shown, left = list(lines[start : start + room]), len(lines) - start - room
    if start > 0:
        shown[0] = (Span(f"  ↑ {start + 1} more", "muted"),)
    if left > 0:
        shown[-1] = (Span(f"  ↓ {left + 1} more", "muted"),)
    return tuple(shown)


def row_lines(rows: Sequence[FormRow], at: int, width: int) -> Lines:
    """A line for each row: its title, its value, and as much of its meaning as fits."""
    values = [_value(row) for row in rows]
    cells = max(VALUE_WIDTH, *(len(value) + 1 for value in values))
    numbered = enumerate(zip(rows, values, strict=True))
    return tuple(
        _row_line(row, value.ljust(cells), place == at, width) for place, (row, value) in numbered
    )


def _value(row: FormRow) -> str:
    return ("–" if row.idle else row.value) + ("*" if row.changed else "")


def _row_line(row: FormRow, value: str, current: bool, width: int) -> Line:
    role = "chosen" if current else ("muted" if row.idle else "plain")
    return (
        Span("▶ " if current else "  ", "chosen"),
        Span(row.title.ljust(TITLE_WIDTH), role),
        Span(value, "kept" if row.changed else role),
        Span(cut(row.meaning, max(0, width - 2 - TITLE_WIDTH - len(value))), "muted"),
    )
