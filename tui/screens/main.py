"""The main screen: layers, totals, plots and activity."""

from time import monotonic

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from tui.keys.main_keys import Key
from tui.screens.paced import PacedScreen
from tui.state.state import State
from tui.views.activity import JobProgress, Outcome, activity
from tui.views.plot_registry import PLOTS, from_plot
from tui.views.title import title
from tui.views.totals import totals
from tui.widgets.find_input import FindInput
from tui.widgets.key_line import KeyLine
from tui.widgets.layer_table import LayerTable
from tui.widgets.line_input import LineInput
from tui.widgets.lines import LinesWidget
from tui.widgets.plot import PlotPanel
from tui.widgets.value_input import ValueInput

REDRAW_SECONDS = 0.25
"""Minimum time between two redraws of a plot, or of anything a job updates."""

CLOCK_SLACK = 0.02
"""How early a redraw may come, so that timer jitter does not skip one."""

WIDE, TALL = 110, 46
"""Minimum width for plots side by side, and height for two rows of them."""

LOW, SHORT = 28, 22
"""Below the first height fewer lines are left blank, below the second none."""


class MainScreen(PacedScreen[None]):
    """Shows a state; redraws only what changed.

    Attributes:
        stale: whether something waits for the next redraw.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stale = False
        self._state = State()
        self._activity: JobProgress | Outcome = Outcome("")
        self._keys: tuple[Key, ...] = ()
        self._plots_drawn = 0.0
        self._panels = 1
        self._inputs: tuple[LineInput, ...] = (ValueInput(), FindInput())

    @property
    def line(self) -> LineInput | None:
        """The open input line, which takes the keys."""
        return next((line for line in self._inputs if line.display), None)

    def compose(self) -> ComposeResult:
        """From top to bottom, fitted to the terminal at once: restyling costs time."""
        self._fit(self.app.size)
        yield LinesWidget(id="title")
        yield LayerTable(id="table")
        yield LinesWidget(id="totals")
        with Container(id="plots"):
            for index in range(len(PLOTS)):
                yield PlotPanel(id=f"plot-{index}")
        yield from self._inputs
        yield LinesWidget(id="activity")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Focus the table, and redraw what is stale at a steady pace."""
        self._redraw_texts()
        self.query_one(LayerTable).focus()
        self.set_interval(REDRAW_SECONDS, self._redraw_if_stale)

    def on_resize(self, event: events.Resize) -> None:
        """Show the plots that fit."""
        width, height = event.size
        self._fit(event.size)
        columns = 2 if width >= WIDE else 1
        rows = 2 if height >= TALL and columns == 2 else 1
        self._panels = columns * rows
        grid = self.query_one("#plots")
        grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
        for index, panel in enumerate(self.query(PlotPanel)):
            panel.display = index < self._panels
        self.call_after_refresh(self._redraw)

    def _fit(self, size: Size) -> None:
        """Leave fewer lines blank on a low screen."""
        self.set_class(size.height < LOW, "-low")
        self.set_class(size.height < SHORT, "-short")

    def visible_plots(self, state: State) -> tuple[str, ...]:
        """The plots that a state would show, in order."""
        return from_plot(state.plot, number=self._panels)

    def show(self, state: State, activity: JobProgress | Outcome, keys: tuple[Key, ...]) -> None:
        """Show a state: the texts at once, then the plots, at most four times a second.

        Before the screen is mounted this only sets what its first frame shows.
        """
        self._state, self._activity, self._keys = state, activity, keys
        if not self.is_mounted:
            return
        self._redraw_texts()
        self.stale = monotonic() - self._plots_drawn < REDRAW_SECONDS
        if not self.stale:
            self._redraw_plots()

    def show_soon(self, state: State, activity: JobProgress | Outcome) -> None:
        """Show a state that a job changed, within a quarter of a second."""
        self._state, self._activity = state, activity
        self.stale = True

    def _redraw_if_stale(self) -> None:
        due = monotonic() - self._plots_drawn >= REDRAW_SECONDS - CLOCK_SLACK
        if due and (self.stale or isinstance(self._activity, JobProgress)):
            self._redraw()

    def _redraw(self) -> None:
        self.stale = False
        self._redraw_texts()
        self._redraw_plots()

    def _redraw_texts(self) -> None:
        width = (self.size or self.app.size).width
        for name, draw in (("title", title), ("totals", totals)):
            with self._lines(name).drawing() as panel:
                panel.lines = draw(self._state, width)
        with self._lines("activity").drawing() as panel:
            panel.lines = activity(self._activity, width)
        panel.styles.height = max(2, len(panel.lines))
        self.query_one(LayerTable).show(self._state)
        self.query_one(KeyLine).show(self._keys)

    def _redraw_plots(self) -> None:
        """Draw one after another, so that a key waits for one plot at most."""
        self._plots_drawn = monotonic()
        self.call_after_refresh(self._draw_plots_from, 0)

    def _draw_plots_from(self, index: int) -> None:
        names = self.visible_plots(self._state)
        if index < len(names):
            self.query_one(f"#plot-{index}", PlotPanel).show(self._state, names[index])
            self.call_after_refresh(self._draw_plots_from, index + 1)

    def _lines(self, name: str) -> LinesWidget:
        return self.query_one(f"#{name}", LinesWidget)
