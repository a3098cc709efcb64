"""The table of runs as a widget: a click selects a run, the wheel moves the selection."""

from textual import events, on
from textual.message import Message

from tui.state.run_list import RunList
from tui.text.frames import inner_start
from tui.text.lines import Span
from tui.views.run_table import scrolled, table
from tui.widgets.panel import Panel

TITLE = (Span("Runs", "title"),)


class RunTable(Panel, can_focus=True):
    """Click a run to select it, twice to continue from it."""

    HELP = """
    # The runs
    {history.up} and {history.down} select a run, {history.continue} continues from its net,
    {history.note} writes a note, {history.delete} deletes the run, {history.mark} marks it for
    comparison, {history.sort} sorts.
    """

    class Clicked(Message):
        """A run was clicked, perhaps twice."""

        def __init__(self, index: int, twice: bool) -> None:
            super().__init__()
            self.index, self.twice = index, twice

    class Scrolled(Message):
        """The wheel turned by `steps` runs."""

        def __init__(self, steps: int) -> None:
            super().__init__()
            self.steps = steps

    _run_list = RunList()
    _current: str | None = None
    _top = 0

    def show(self, run_list: RunList, current: str | None) -> None:
        """Show the runs; `current` is the one whose net is on the main screen."""
        self._run_list, self._current = run_list, current
        width, height = self.inner
        with self.drawing():
            self._top = scrolled(run_list, height, self._top)
            self.put(table(run_list, current, width, height, self._top), TITLE)

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self.show(self._run_list, self._current)

    def on_click(self, event: events.Click) -> None:
        """Select the run."""
        line = event.y - inner_start(self.frame)[1] - 1
        index = self._top + line
        if 0 <= line < self.inner[1] - 1 and index < len(self._run_list.rows or ()):
            self.post_message(self.Clicked(index, event.chain > 1))

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    def _move(self, event: events.MouseEvent) -> None:
        """Select the run above or below."""
        event.stop()
        self.post_message(self.Scrolled(-1 if isinstance(event, events.MouseScrollUp) else 1))
