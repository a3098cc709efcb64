"""The screen of a sweep: its trials, and the Pareto front as it grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from textual.app import ComposeResult
from textual.containers import Container

from tui.keys.key import bind
from tui.keys.sweep_keys import KEYS, OF_RUNNING
from tui.screens.help.screen import HelpScreen
from tui.screens.help.sections import Section, key_sections
from tui.screens.main import REDRAW_SECONDS
from tui.screens.overlay import Overlay
from tui.screens.question import Question
from tui.state.sweep.board import Board
from tui.text.frames import Frame, frame_rows
from tui.text.lines import Span, cut
from tui.views import sweep_view
from tui.views.job_outcomes import STOPPED_TRIALS
from tui.views.panels.arrangement import WIDE
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import LinesWidget
from tui.widgets.panel import Panel

LOW = 22
"""Below this height the panels have no frame."""

TABLE_SHARE = 0.5
"""The table's share of the lines, or of the columns of a wide screen."""

COLUMNS = (
    ("plan", "the goal, and the method that chooses per-layer sparsities"),
    ("epoch", "in progress, of how many"),
    ("state", "waiting, how much is done, done, recorded (before this sweep), stopped or failed"),
    ("validation", "accuracy after the last epoch; of a trial that is done, that of its net"),
    ("run", "its run in the history"),
)


@dataclass(frozen=True)
class SweepControls:
    """What the screen of a sweep shows and does.

    Attributes:
        board: the sweep so far.
        dense: validation accuracy of the dense net, in percent.
        select: selects the trial so many rows below.
        stop: stops a trial, or with None all; raises InputError if that fails.
        leave: stops watching; the sweep goes on.
        ended: None while it is watched; then the error that ended it, or an empty text.
    """

    board: Callable[[], Board]
    dense: float | None
    select: Callable[[int], None]
    stop: Callable[[int | None], None]
    leave: Callable[[], None]
    ended: Callable[[], str | None]


class SweepScreen(Overlay[None]):
    """Shows a sweep, drawn again four times a second if it has changed."""

    KEYS = KEYS
    DEFAULT_CSS = """
    SweepScreen #sweep-title, SweepScreen #sweep-about, SweepScreen #keys { height: 1; }
    SweepScreen #sweep-body { height: 1fr; }
    """

    def __init__(self, controls: SweepControls) -> None:
        super().__init__()
        bind(self, KEYS)
        self._controls = controls
        self._drawn: object = None
        self._fitted = -1
        self._message: Span | None = None

    @property
    def board(self) -> Board:
        """The sweep so far; at its end, its process may be gone without a word."""
        board = self._controls.board()
        return board if self._controls.ended() is None else board.closed()

    @property
    def is_modal(self) -> bool:
        """Disable the keys of the screens below."""
        return True

    def compose(self) -> ComposeResult:
        """From top to bottom; a wide screen has the table and the plot side by side."""
        yield LinesWidget(id="sweep-title")
        with Container(id="sweep-body"):
            yield Panel(id="sweep-trials")
            yield Panel(id="sweep-front")
        yield LinesWidget(id="sweep-about")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Draw again what changes at a steady pace."""
        self.set_interval(REDRAW_SECONDS, self.redraw)

    def on_resize(self) -> None:
        """Fit the new size."""
        self._fit()
        self._drawn = None
        self.call_after_refresh(self.redraw)

    def on_screen_resume(self) -> None:
        """Draw, also after a dialog."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw what has changed."""
        board, now, error = self.board, monotonic(), self._controls.ended()
        if len(board.trials) != self._fitted:
            self._fit()
        trials, front = self._panel("trials"), self._panel("front")
        size = (self.size, trials.inner, front.inner)
        head, drawn = sweep_view.title(board, now), (board, self._message, error, size)
        with self._lines("title").drawing() as panel:
            panel.lines = (head,)
        if drawn == self._drawn or not self.size.width:
            return
        self._drawn = drawn
        with trials.drawing():
            trials.put(sweep_view.table(board, *trials.inner), (Span("Trials", "title"),))
        self._draw_front(board, front)
        with self._lines("about").drawing() as panel:
            line = (self._message,) if self._message else sweep_view.about(board, error or "")
            width = self.size.width
            panel.lines = (tuple(Span(cut(span.text, width), span.role) for span in line),)
        offered = (key for key in KEYS if error is None or key.action not in OF_RUNNING)
        self.query_one(KeyLine).show(tuple(key for key in offered if key.footer))

    def _draw_front(self, board: Board, panel: Panel) -> None:
        from tui.views import sweep_front  # late: it loads NumPy

        dense, framed = self._controls.dense, panel.frame != "none"
        with panel.drawing():
            lines = sweep_front.draw(board, dense, *panel.inner, framed=framed)
            panel.put(lines, sweep_front.title(board, dense))

    def _fit(self) -> None:
        """Share the room among the table and the plot."""
        width, height = self.room
        self._fitted = len(self.board.trials)
        wide = width >= WIDE
        frame: Frame = "none" if height < LOW else "box" if wide else "rule"
        body, trials, front = self.query_one("#sweep-body"), *map(self._panel, ("trials", "front"))
        rows = height - 3
        body.styles.layout = "horizontal" if wide else "vertical"
        if wide:
            for panel in (trials, front):
                panel.frame, panel.rows, panel.styles.height = frame, rows, rows
            trials.styles.width, front.styles.width = "5fr", "4fr"
            return
        edges = frame_rows(frame)
        most = edges + 1 + max(1, self._fitted)
        table = min(most, max(edges + 4, int(rows * TABLE_SHARE)))
        for panel, taken in ((trials, table), (front, rows - table)):
            panel.frame, panel.rows, panel.styles.height = frame, taken, taken
            panel.styles.width = "1fr"

    def say(self, text: str, role: str) -> bool:
        """Show a message until the next key."""
        self._message = Span(f"  {text}", role)
        self.redraw()
        return True

    # The keys

    def action_move(self, steps: int) -> None:
        """Select a trial above or below."""
        self._message = None
        self._controls.select(steps)
        self.redraw()

    def action_page(self, pages: int) -> None:
        """Select a trial pages away."""
        self.action_move(pages * max(1, self._panel("trials").inner[1] - 2))

    def action_stop(self) -> None:
        """Stop the selected trial."""
        board = self.board
        if not board.trials:
            return
        trial = board.trials[board.place]
        ended = trial.number in board.outcomes or trial.number in board.stopped
        if ended or self._controls.ended() is not None:
            self.say(f"trial {trial.number} is not running", "plain")
        else:
            self._controls.stop(trial.number)
            self.redraw()

    def action_stop_all(self) -> None:
        """Stop the sweep, after asking."""
        if self._controls.ended() is not None:
            self.say("the sweep has ended", "plain")
            return
        text = f"Stop the sweep? {STOPPED_TRIALS}"
        self.app.push_screen(
            Question(text, "Stop it", "Keep it running"),
            lambda sure: self._controls.stop(None) if sure else None,
        )

    def action_leave_running(self) -> None:
        """Stop watching; the sweep goes on."""
        self._controls.leave()
        self.dismiss()

    def action_help(self) -> None:
        """Explain every key and column."""
        sections = (*key_sections(KEYS), Section("What the columns mean", COLUMNS))
        self.app.push_screen(HelpScreen(sections))

    def _panel(self, name: str) -> Panel:
        return self.query_one(f"#sweep-{name}", Panel)

    def _lines(self, name: str) -> LinesWidget:
        return self.query_one(f"#sweep-{name}", LinesWidget)
