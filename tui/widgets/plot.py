"""A plot as a widget: redrawn only when its data or its size changes."""

from textual.binding import Binding

from tui.plots.view import PLAIN
from tui.state.state import State
from tui.views.plot_registry import FRAMED, PLOTS
from tui.widgets.panel import Panel


class PlotPanel(Panel, can_focus=True):
    """The plot named in `show`."""

    HELP = f"""
    # Plots
    {{full-screen}} or Enter shows it on the whole screen: read out its points, export it as a file.
    {{next-plot}} shows the next plot: {", ".join(plot.about for plot in PLOTS.values())}.
    """

    BINDINGS = [Binding("enter", "app.key('plots.full_screen')", "full screen", show=False)]

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
                view = PLAIN if self.frame == "none" else FRAMED
                self.put(plot.draw(state, width, height, view), plot.title(state))

    @property
    def plot(self) -> str:
        """The name of the plot; empty before the first."""
        return self._shown[1] if self._shown else ""

    def on_resize(self) -> None:
        """Fit the new size, which also changes with the lines below."""
        if self._shown is not None:
            self.show(*self._shown)
