"""The main screen: layers, scoreboard, plots and activity."""

from time import monotonic

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from tui.keys.key import Key
from tui.screens.paced import PacedScreen
from tui.state.state import State
from tui.views.activity import JobProgress, Outcome, activity
from tui.views.panels.arrangement import Arrangement
from tui.views.panels.title import title
from tui.views.plot_registry import PLOTS, from_plot
from tui.widgets.inputs.find_input import FindInput
from tui.widgets.inputs.line_input import LineInput
from tui.widgets.inputs.value_input import ValueInput
from tui.widgets.key_line import KeyLine
from tui.widgets.layer_table import LayerTable
from tui.widgets.lines import LinesWidget
from tui.widgets.panel import Panel
from tui.widgets.plot import PlotPanel
from tui.widgets.scoreboard import Scoreboard

REDRAW_SECONDS = 0.25
"""Minimum time between two redraws of a plot, or of anything a job updates."""

CLOCK_SLACK = 0.02
"""How early a redraw may come, so that timer jitter does not skip one."""


class MainScreen(PacedScreen[None]):
    """Shows a state; redraws only what changed.

    Attributes:
        stale: whether something waits for the next redraw.
    """

    class Rearranged(Message):
        """Other plots may be visible than before."""

    def __init__(self) -> None:
        super().__init__()
        self.stale = False
        self._state = State()
        self._activity: JobProgress | Outcome = Outcome("")
        self._keys: tuple[Key, ...] = ()
        self._plots_drawn = 0.0
        self._plots_shown: tuple[str, ...] = ()
        self._arrangement: Arrangement | None = None
        self._inputs: tuple[LineInput, ...] = (ValueInput(), FindInput())

    @property
    def line(self) -> LineInput | None:
        """The open input line, which takes the keys."""
        return next((line for line in self._inputs if line.display), None)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield LinesWidget(id="title")
        with Container(id="body"):
            with Container(id="left"):
                yield LayerTable(id="table")
                yield Scoreboard(id="scoreboard")
                yield PlotPanel(id="plot-0")
            with Container(id="plots"):
                for index in range(1, len(PLOTS)):
                    yield PlotPanel(id=f"plot-{index}")
        yield from self._inputs
        yield LinesWidget(id="activity")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Focus the table, and redraw what is stale at a steady pace."""
        self._redraw_texts()
        self.query_one(LayerTable).focus()
        self.set_interval(REDRAW_SECONDS, self._redraw_if_stale)

    def on_resize(self) -> None:
        """Arrange the panels anew."""
        self._arrange()
        self.call_after_refresh(self._redraw)

    def _arrange(self) -> None:
        """Give the panels their places, if those have changed."""
        width, height = self.room or self.app.size
        arrangement = Arrangement.of(self._state, width, height)
        if arrangement == self._arrangement:
            return
        self._arrangement = arrangement
        self.set_class(arrangement.left > 0, "-wide")
        self.query_one("#left").styles.width = arrangement.left or "100%"
        grid = self.query_one("#plots")
        grid.styles.grid_size_columns = max(1, arrangement.columns)
        grid.styles.grid_size_rows = max(1, arrangement.rows)
        for panel in self.query(Panel):
            panel.frame = arrangement.frame
        heights = {LayerTable: arrangement.table, Scoreboard: arrangement.scoreboard}
        for kind, rows in heights.items():
            panel = self.query_one(kind)
            panel.rows, panel.styles.height = rows, rows or "1fr"
        first, *others = self.query(PlotPanel)
        first.display = arrangement.left_plot
        for place, plot in enumerate(others):
            plot.display = place < arrangement.plots - arrangement.left_plot
        self.post_message(self.Rearranged())

    def visible_plots(self, state: State) -> tuple[str, ...]:
        """The plots that a state would show, in order."""
        number = self._arrangement.plots if self._arrangement else 1
        return from_plot(state.plot, number=min(number, len(PLOTS)))

    def show(self, state: State, activity: JobProgress | Outcome, keys: tuple[Key, ...]) -> None:
        """Show a state: the texts at once, then the plots, at most four times a second.

        Other plots than before do not wait: a key has asked for them.
        Before the screen is mounted this only sets what its first frame shows.
        """
        self._state, self._activity, self._keys = state, activity, keys
        if not self.is_mounted:
            return
        self._redraw_texts()
        same = self._plots_shown == self.visible_plots(state)
        self.stale = same and monotonic() - self._plots_drawn < REDRAW_SECONDS
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
        self._arrange()
        width = (self.size or self.app.size).width
        with self._lines("title").drawing() as panel:
            panel.lines = title(self._state, width)
        with self._lines("activity").drawing() as panel:
            panel.lines = activity(self._activity, width)
        panel.styles.height = max(2, len(panel.lines))
        self.query_one(LayerTable).show(self._state)
        self.query_one(Scoreboard).show(self._state)
        self.query_one(KeyLine).show(self._keys)

    def _redraw_plots(self) -> None:
        """Draw one after another, so that a key waits for one plot at most."""
        self._plots_drawn, self._plots_shown = monotonic(), self.visible_plots(self._state)
        self.call_after_refresh(self._draw_plots_from, 0)

    def _draw_plots_from(self, index: int) -> None:
        panels = [panel for panel in self.query(PlotPanel) if panel.display]
        names = self.visible_plots(self._state)
        if index < min(len(names), len(panels)):
            panels[index].show(self._state, names[index])
            self.call_after_refresh(self._draw_plots_from, index + 1)

    def _lines(self, name: str) -> LinesWidget:
        return self.query_one(f"#{name}", LinesWidget)
