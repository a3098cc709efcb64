"""The lower half of the history as a widget: redrawn only when its content changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tui.state.run_list import RunList
from tui.text.lines import Line, Lines, Span
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui.views.run_plots import Weights

Draw = Callable[[int, int], Lines]
"""Draws for a width and a height."""


class RunsPanel(Panel, can_focus=True):
    """Accuracy against size, or two runs side by side; a text if there are no runs."""

    HELP = """
    # Accuracy against size
    A run is on the Pareto front if no other run beats it in both accuracy and size.
    {history.view} switches between validation and test.
    Mark a run with {history.mark} and select another to compare them side by side; {history.view}
    shows the next view, {history.layer-above} and {history.layer-below} select the layer.
    """

    _draw: Draw | None = None
    _seen: object = None
    _title: Line = ()
    _weights: Weights | None = None

    def show_runs(self, run_list: RunList, dense: float | None, weights: Weights) -> None:
        """Draw the runs, unless they are up to date."""
        seen = (run_list, dense, self.frame, self.inner)
        if seen != self._seen or (weights is not self._weights and run_list.compared):
            framed = self.frame != "none"
            draw = partial(_lower_half, run_list, dense, weights, framed)
            with self.drawing():
                self._show(draw, _title(run_list, dense))
            self._seen, self._weights = seen, weights

    def show_text(self, draw: Draw, title: str = "") -> None:
        """Show a text, in a frame with a title."""
        self._show(draw, (Span(title, "title"),) * bool(title))

    def _show(self, draw: Draw, title: Line) -> None:
        self._draw, self._title = draw, title
        self.on_resize()

    def on_resize(self) -> None:
        """Fit the new size."""
        self._seen = None
        if self._draw is not None:
            with self.drawing():
                self.put(self._draw(*self.inner), self._title)


def _lower_half(
    run_list: RunList, dense: float | None, weights: Weights, framed: bool, width: int, height: int
) -> Lines:
    from tui.views.run_plots import lower_half  # late: the thread that reads runs loads NumPy

    return lower_half(run_list, dense, weights, width, height, framed)


def _title(run_list: RunList, dense: float | None) -> Line:
    if run_list.compared:
        return (Span("Two runs compared", "title"),)
    from tui.views.run_plots import runs_title

    return runs_title(run_list, dense)
