"""The layer table as a widget: the mouse chooses layers and sets sparsities by their bars."""

from textual import events
from textual.message import Message

from tui.state.state import State
from tui.views.layer_table import columns, first_row, table
from tui.widgets.lines import LinesWidget

LEAST, REST = 6, 16
"""Lines of the table that there always are, and lines of the screen that it leaves to the rest."""

FOUND = 12
"""Rows for layers that are found, however many: the plots stay where they are while one types."""


class LayerTable(LinesWidget, can_focus=True):
    """Click a row to choose it, its bar to set the sparsity; the wheel moves it."""

    HELP = """
    # The layer table
    Up and down select a row, left and right change its sparsity, a digit types it.
    Keys on a group's row act on all its unlocked layers; Space folds it.
    / finds layers, * selects all of one kind: the row above them acts on all.
    Click a bar to set the sparsity, turn the wheel to change it by 1 %, click a group to fold it.
    """

    class Chosen(Message):
        """A row was pointed at; `sparsity` is None where its bar was not."""

        def __init__(self, index: int, sparsity: float | None) -> None:
            super().__init__()
            self.index = index
            self.sparsity = sparsity

    class Nudged(Message):
        """The wheel turned over a row, by so many percent."""

        def __init__(self, index: int, steps: int) -> None:
            super().__init__()
            self.index = index
            self.steps = steps

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._state = State()

    def show(self, state: State) -> None:
        """Show the state's layers."""
        self._state = state
        with self.drawing():
            self.styles.height = self._height
            self.lines = table(state, self.size.width, self._height)

    @property
    def _height(self) -> int:
        """Its lines, also before they are laid out; the same for all that one may look for."""
        listing = self._state.listing
        rows = min(len(listing.layers) + 1, FOUND) if listing.filter else len(listing.rows)
        return min(1 + max(1, rows), max(LEAST, self.screen.size.height - REST))

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self.show(self._state)

    def on_click(self, event: events.Click) -> None:
        """Choose the row; on its bar, set the sparsity."""
        if (index := self._row_at(event.y)) is not None:
            self.post_message(self.Chosen(index, self._sparsity_at(event.x)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Raise the sparsity of the row under the pointer."""
        self._nudge(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Lower the sparsity of the row under the pointer."""
        self._nudge(event, -1)

    def _nudge(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        if (index := self._row_at(event.y)) is not None:
            self.post_message(self.Nudged(index, steps))

    def _row_at(self, y: float) -> int | None:
        index = first_row(self._state, self._height) + int(y) - 1
        return index if y >= 1 and index < len(self._state.listing.rows) else None

    def _sparsity_at(self, x: float) -> float | None:
        fitted = columns(self._state, self.size.width)
        cell = int(x) - fitted.bar_start
        if not 0 <= cell < fitted.bar:
            return None
        return round((cell + 1) / fitted.bar, 2) if cell else 0.0
