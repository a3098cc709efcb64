"""The scoreboard as a widget."""

from tui.state.state import State
from tui.views.panels.scoreboard import headline, scoreboard
from tui.widgets.panel import Panel


class Scoreboard(Panel):
    """How light the net is, and how good."""

    _state = State()

    def show(self, state: State) -> None:
        """Show a state."""
        self._state = state
        with self.drawing():
            width = self.inner[0]
            self.put(scoreboard(state, self.frame, width), headline(state, self.frame, width))

    def on_resize(self) -> None:
        """Fit the new width."""
        self.show(self._state)
