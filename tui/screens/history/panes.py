"""The panes of the history screen, and when they are redrawn."""

from functools import partial
from time import monotonic

from textual.app import ComposeResult

from core.experiments.experiment import Experiment
from core.experiments.runs import RUNNING
from tui.keys.history_keys import TYPING
from tui.screens.history.run_files import RunFiles
from tui.screens.main import CLOCK_SLACK, REDRAW_SECONDS
from tui.state.run_list import RunList
from tui.text.frames import Frame, frame_rows
from tui.views.history import ABOUT, about, failure, hint, hint_lines, sizes, title, welcome
from tui.views.history_footer import footer_keys
from tui.views.panels.arrangement import WIDE
from tui.views.run_comparison import VIEWS, views
from tui.widgets.inputs.note_input import NoteInput
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import LinesWidget
from tui.widgets.run_table import RunTable
from tui.widgets.runs_panel import RunsPanel

REREAD_SECONDS = 5.0
"""Maximum age of a list with running runs, in seconds."""

LOW, HIGH = 22, 28
"""Below the first height panels have no frame, from the second on boxes, if there is the width."""

HINT = 1
"""Lines for the hint about the selected run."""

TABLE_SHARE = 0.44
"""The table's share of the lines above and below it."""


class HistoryPanes(RunFiles):
    """The table, the panel below it, and the lines around them.

    Attributes:
        current: the id of the run whose net is on the main screen.
        dense: validation accuracy of the dense net, for runs that do not record their own.
        stale: whether the panel waits for the next redraw.
    """

    def __init__(self, experiment: Experiment, *, current: str | None, dense: float | None) -> None:
        super().__init__(experiment, RunList(at=current or ""))
        self.current, self.dense = current, dense
        self.stale = False
        self._drawn = 0.0
        self._read = 0.0

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield LinesWidget(id="title")
        yield RunTable(id="runs")
        yield RunsPanel(id="runs-panel")
        yield LinesWidget(id="about")
        yield LinesWidget(id="hint")
        yield NoteInput()
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Focus the table, and redraw a stale panel at a steady pace."""
        self.query_one(RunTable).focus()
        self._show_texts()
        self.set_interval(REDRAW_SECONDS, self._refresh)

    def on_resize(self) -> None:
        """Reallocate the lines; each widget redraws itself when it is resized."""
        self._show_texts()
        self.stale = True

    def mark_current(self, current: str | None) -> None:
        """Mark the run whose net is on the main screen now."""
        if current != self.current:
            self.current = current
            self.reload()

    def reload(self) -> None:
        """Read the runs again."""
        self._read = monotonic()
        super().reload()

    @property
    def typing(self) -> bool:
        """Whether a note is being typed."""
        return self.is_mounted and self.query_one(NoteInput).display

    def show(self) -> None:
        """Show the texts at once, the panel at most four times a second."""
        if not self.is_mounted:
            return
        self._show_texts()
        self.stale = monotonic() - self._drawn < REDRAW_SECONDS
        if not self.stale:
            self._show_panel()

    def _refresh(self) -> None:
        """Draw a stale panel, and reread the runs while any are running."""
        rows, now = self.run_list.rows or (), monotonic()
        if now - self._read > REREAD_SECONDS and any(row.status == RUNNING for row in rows):
            self.reload()
        if self.stale and now - self._drawn >= REDRAW_SECONDS - CLOCK_SLACK:
            self._show_panel()

    @property
    def _about(self) -> int:
        """Lines about the selected run, the same for every run."""
        any_sizes = any(sizes(row) for row in self.run_list.rows or ())
        return ABOUT + (any_sizes and self.room.height >= LOW)

    @property
    def _frame(self) -> Frame:
        """The frame of the table and of the panel below it."""
        width, height = self.room
        return "none" if height < LOW else "box" if width >= WIDE and height >= HIGH else "rule"

    @property
    def _panel(self) -> RunsPanel:
        return self.query_one(RunsPanel)

    def _fit(self) -> None:
        """Allocate the lines to the table and the panel."""
        height, rows, frame = self.room.height, self.run_list.rows, self._frame
        edges = frame_rows(frame)
        full_table = 1 + edges if rows is None else 1 + len(rows) + edges if rows else 0
        room = height - 2 - self._about - HINT
        table = min(full_table, edges + max(4, int((room - 2 * edges) * TABLE_SHARE)))
        for panel, taken in ((self.query_one(RunTable), table), (self._panel, room - table)):
            panel.frame, panel.rows, panel.styles.height = frame, taken, taken

    def _show_texts(self) -> None:
        self._fit()
        width, run_list, row = self.size.width, self.run_list, self.run_list.selected
        with self._lines("title").drawing() as panel:
            panel.lines = title(run_list, self.experiment.folder, width)
        self.query_one(RunTable).show(run_list, self.current)
        height = self._about + HINT
        with self._lines("hint").drawing() as panel:
            panel.lines = hint_lines(self.message or hint(run_list, self.current), width, height)
        panel.styles.height = len(panel.lines)
        left = height - len(panel.lines)
        with self._lines("about").drawing() as panel:
            panel.styles.height = left
            panel.lines = about(row, self.current, width, left) if row else ()
        self._lines("hint").display = not self.typing
        everything = len(self._views()) == len(VIEWS)
        keys = TYPING if self.typing else tuple(footer_keys(run_list, everything))
        self.query_one(KeyLine).show(keys)

    def _views(self) -> tuple[str, ...]:
        return views(self.run_list, *self._panel.inner)

    def _show_panel(self) -> None:
        self._drawn, self.stale = monotonic(), False
        panel, run_list, folder = self._panel, self.run_list, self.experiment.folder
        if run_list.rows:
            panel.show_runs(run_list, self.dense, self.weights)
            if "weights" in self._views():
                self.read_weights()
        elif self.problem:
            panel.show_text(partial(failure, self.problem))
        elif run_list.rows is not None:
            panel.show_text(partial(welcome, folder))

    def _lines(self, name: str) -> LinesWidget:
        return self.query_one(f"#{name}", LinesWidget)
