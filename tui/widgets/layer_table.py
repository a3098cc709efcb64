"""The layer table as a widget: the mouse selects layers, and sets sparsities by their bars."""

from textual import events, on
from textual.message import Message

from tui.state.state import State
from tui.text.frames import inner_start
from tui.text.lines import Span
from tui.views.panels.layer_table import columns, first_row, layers_kept, table
from tui.widgets.panel import Panel

TITLE = (Span("Layers", "title"),)


class LayerTable(Panel, can_focus=True):
    """Click a row to select it, its bar to set the sparsity; the wheel changes the sparsity."""

    HELP = """
    # Layers
    {row-above} and {row-below} select a row; {less} and {more} change its sparsity; digits type
    an exact value. Keys on a group's row act on all its unlocked layers; {fold} folds it.
    {find-layers} finds layers and {same-kind} lists one kind; keys on the heading act on all of
    them. Click a bar to set the sparsity, scroll to change it by 1 %, click a group to fold it.
    """

    class MouseAction(Message):
        """A row was clicked, perhaps on its bar at `sparsity`, or the wheel turned by `steps`."""

        def __init__(self, index: int, sparsity: float | None = None, steps: int = 0) -> None:
            super().__init__()
            self.index, self.sparsity, self.steps = index, sparsity, steps

    _state = State()

    def show(self, state: State) -> None:
        """Show the state's layers."""
        self._state = state
        with self.drawing():
            width, rows = self.inner
            self.put(table(state, width, rows), TITLE, layers_kept(state))

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self.show(self._state)

    def on_click(self, event: events.Click) -> None:
        """Select the row; on its bar, set the sparsity."""
        if (index := self._row_at(event.y)) is not None:
            self.post_message(self.MouseAction(index, self._sparsity_at(event.x)))

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    def _nudge(self, event: events.MouseEvent) -> None:
        """Raise or lower the sparsity of the row under the pointer."""
        event.stop()
        if (index := self._row_at(event.y)) is not None:
            steps = 1 if isinstance(event, events.MouseScrollUp) else -1
            self.post_message(self.MouseAction(index, steps=steps))

    def _row_at(self, y: float) -> int | None:
        rows = self.inner[1]
        line = int(y) - inner_start(self.frame)[1] - 1
        index = first_row(self._state, rows) + line
        return index if 0 <= line < rows - 1 and index < len(self._state.listing.rows) else None

    def _sparsity_at(self, x: float) -> float | None:
        fitted = columns(self._state, self.inner[0])
        cell = int(x) - inner_start(self.frame)[0] - fitted.bar_start
        if not 0 <= cell < fitted.bar:
            return None
        return round((cell + 1) / fitted.bar, 2) if cell else 0.0
