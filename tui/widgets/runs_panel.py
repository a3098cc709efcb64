"""The lower half of the history as a widget: drawn again only when what it shows changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tui.state.run_list import RunList
from tui.text.lines import Lines
from tui.widgets.lines import LinesWidget

if TYPE_CHECKING:
    from tui.views.run_plots import Weights

Draw = Callable[[int, int], Lines]
"""Draws for a width and a height."""


class RunsPanel(LinesWidget, can_focus=True):
    """Accuracy against size, or two runs side by side; a text where there are no runs."""

    HELP = """
    # Accuracy against size
    No other run beats a run on the Pareto front in both. v switches validation and test.
    Mark a run with Space and select another one to compare them side by side; v shows the next
    view, [ and ] select the layer.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._draw: Draw | None = None
        self._seen: object = None
        self._weights: Weights = {}

    def show_runs(self, run_list: RunList, dense: float | None, weights: Weights) -> None:
        """Draw the runs, unless they are what is there already."""
        self._draw = partial(_draw, run_list, dense, weights)
        seen = (run_list, dense, self.size)
        if seen != self._seen or (weights is not self._weights and run_list.compared):
            self._seen, self._weights = seen, weights
            self._redraw(self._draw)

    def show_text(self, draw: Draw) -> None:
        """Show a text."""
        self._draw, self._seen = draw, None
        self._redraw(draw)

    def on_resize(self) -> None:
        """Fit the new size."""
        if self._draw is not None:
            self._seen = None
            self._redraw(self._draw)

    def _redraw(self, draw: Draw) -> None:
        with self.drawing():
            self.lines = draw(*self.size)


def _draw(
    run_list: RunList, dense: float | None, weights: Weights, width: int, height: int
) -> Lines:
    # NumPy and plotext come in beside the runs, in the thread that reads them.
    from tui.views.run_plots import lower_half

    return lower_half(run_list, dense, weights, width, height)
