"""A plot as a widget: redrawn only when its data or its size changes."""

from tui.state.state import State
from tui.text.lines import Span
from tui.views.plot_registry import PLOTS
from tui.widgets.panel import Panel


class PlotPanel(Panel, can_focus=True):
    """The plot named in `show`."""

    HELP = f"""
    # Plots
    {{next-plot}} shows the next plot: {", ".join(plot.title for plot in PLOTS.values())}.
    """

    _drawn: object = None
    _shown: tuple[State, str] | None = None

    def show(self, state: State, name: str) -> None:
        """Draw the plot called `name`, unless it is up to date."""
        self._shown = state, name
        width, height = self.inner
        before, self._drawn = self._drawn, None
        with self.drawing():
            plot = PLOTS[name]
            self._drawn = (name, self.frame, width, height, plot.inputs(state))
            if self._drawn != before:
                title = (Span(plot.title.capitalize(), "title"),)
                self.put(plot.draw(state, width, height), title)

    def on_resize(self) -> None:
        """Fit the new size, which also changes with the lines below."""
        if self._shown is not None:
            self.show(*self._shown)
