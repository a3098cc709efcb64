"""A plot of the state as a widget: drawn again only when its numbers or its size change."""

from tui.state.state import State
from tui.views.plot_registry import PLOTS
from tui.widgets.lines import LinesWidget


class PlotPanel(LinesWidget, can_focus=True):
    """One of the plots, named in `show`."""

    HELP = f"""
    # The plots
    v shows the next one: {", ".join(plot.title for plot in PLOTS.values())}.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._drawn: object = None
        self._shown: tuple[State, str] | None = None

    def show(self, state: State, name: str) -> None:
        """Draw the plot called `name`, unless that is what is there already."""
        self._shown = state, name
        width, height = self.size
        before, self._drawn = self._drawn, None
        with self.drawing():
            plot = PLOTS[name]
            self._drawn = (name, width, height, plot.inputs(state))
            if self._drawn != before:
                self.lines = plot.draw(state, width, height)

    def on_resize(self) -> None:
        """Fit the new size, which changes with the terminal's and with the lines below."""
        if self._shown is not None:
            self.show(*self._shown)
