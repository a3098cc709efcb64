"""A plot on the whole screen, with a cursor that reads out its points."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from textual.app import ComposeResult

from tui.keys.key import Key, bind
from tui.keys.keymap import with_keys
from tui.keys.plot_keys import KEYS
from tui.plots.export.picture import Picture
from tui.plots.subject import PlotSubject
from tui.plots.view import View
from tui.screens.help.screen import HelpScreen
from tui.screens.help.sections import Section, help_of_plot, key_sections
from tui.screens.main import REDRAW_SECONDS
from tui.screens.overlay import Overlay
from tui.screens.plot_files import KINDS, PlotFile, ask
from tui.text.lines import Line, Span, cut, header, width_of
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import LinesWidget, RoleApp
from tui.widgets.role_styles import styles_of

NOTES = (
    ("cursor", "a line through a point; the line below the plot reads out every series there, the "
     "one under the cursor first"),
    ("series", "the curves of a chart; in bars, tables and heat maps the arrows move from cell to "
     "cell"),
    ("export", ".svg and .png are pictures of the plot as it is shown, .csv is the table of its "
     "data"),
)  # fmt: skip
"""What the keys do, in the help."""


_READOUT, _WIDE = 2, 100
"""The lines of the readout below a width, above which it has one."""


class PlotScreen(Overlay[None]):
    """Shows the plot that `subject` returns, which is asked again four times a second.

    Args:
        step: shows another plot, so many steps away.
    """

    KEYS = KEYS
    DEFAULT_CSS = """
    PlotScreen { padding: 0 1; }
    PlotScreen #whole-title, PlotScreen #readout, PlotScreen #keys { height: 1; }
    PlotScreen #whole-plot { height: 1fr; }
    """

    def __init__(self, subject: Callable[[], PlotSubject], step: Callable[[int], object]) -> None:
        super().__init__()
        bind(self, KEYS)
        self._ask, self._step = subject, step
        self._folder, self._kind = "", KINDS[0]
        self._subject = subject()
        self._view = View(header=False)
        self._drawn: object = None
        self._message: Span | None = None

    @property
    def is_modal(self) -> bool:
        """Disable the keys of the screens below."""
        return True

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield LinesWidget(id="whole-title")
        yield LinesWidget(id="whole-plot")
        yield LinesWidget(id="readout")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Draw again what changes at a steady pace."""
        self.set_interval(REDRAW_SECONDS, self.redraw)

    def on_resize(self) -> None:
        """Fit the new size."""
        self.query_one("#readout").styles.height = _READOUT if self.size.width < _WIDE else 1
        self.call_after_refresh(self.redraw)

    def on_screen_resume(self) -> None:
        """Draw, also after a dialog."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw what has changed."""
        plot = self.query_one("#whole-plot", LinesWidget)
        subject, (width, height) = self._ask(), plot.size
        if subject.name != self._subject.name:
            self._view = View(header=False)
        self._subject = subject
        drawn = (subject.version, self._view, self._message, width, height)
        if drawn == self._drawn or not width:
            return
        self._drawn = drawn
        self.query_one("#keys", KeyLine).show(self._keys())
        with self._lines("whole-title").drawing() as panel:
            panel.lines = header(subject.title(), (), width, 1)
        with plot.drawing():
            plot.lines = subject.draw(width, height, self._view)
        with self._lines("readout").drawing() as panel:
            panel.lines = tuple(_wrapped(self._readout(width), width))[:_READOUT]

    def say(self, text: str, role: str) -> bool:
        """Show a message until the next key."""
        self._message = Span(text, role)
        self.redraw()
        return True

    def _picture(self) -> Picture:
        """The plot as it is shown, with its title, without the cursor."""
        width, height = self.query_one("#whole-plot", LinesWidget).size
        title = header(self._subject.title(), (), width, 1)
        lines = title + self._subject.draw(width, height, self._view._replace(row=None))
        assert isinstance(self.app, RoleApp)
        return Picture(lines, *styles_of(self.app, _roles(lines)))

    def _table_text(self) -> str:
        return self._subject.table(self.query_one("#whole-plot", LinesWidget).size.width).csv()

    def _remember(self, text: str) -> None:
        """Offer the same folder and kind of file next time."""
        path = Path(text)
        self._folder, self._kind = text.removesuffix(path.name), path.suffix

    def action_cursor(self, right: int, down: int) -> None:
        """Move the cursor; the first time, show it."""
        table = self._subject.table(self.query_one("#whole-plot", LinesWidget).size.width)
        row, column = self._view.row, max(self._view.column, table.keys)
        if row is None:
            row, column = table.start()
        elif table.rows:
            row, column = table.moved(row, column, right, down)
        if table.rows:
            self._view = self._view._replace(row=row, column=column)
        self._message = None if table.rows else Span("there are no data yet", "hint")
        self.redraw()

    def action_no_cursor(self) -> None:
        """Hide the cursor."""
        self._show(self._view._replace(row=None))

    def action_scale(self) -> None:
        """Switch to the other scale."""
        if self._subject.scales:
            self._show(self._view._replace(other_scale=not self._view.other_scale))

    def action_step(self, steps: int) -> None:
        """Show another plot."""
        self._step(steps)
        self._message = None
        self.redraw()

    def action_export(self) -> None:
        """Write the plot to a file."""
        path = f"{self._folder}{self._subject.name}{self._kind}"
        ask(self, path, PlotFile(self._picture, self._table_text, self.say), self._remember)

    def action_help(self) -> None:
        """Explain the keys."""
        about = help_of_plot(self._subject.name)
        notes = Section("What they do", NOTES)
        self.app.push_screen(HelpScreen((*about, *key_sections(KEYS), notes)))

    def _show(self, view: View) -> None:
        self._view, self._message = view, None
        self.redraw()

    def _readout(self, width: int) -> Line:
        if self._message is not None:
            return (self._message,)
        table, row = self._subject.table(width), self._view.row
        if row is None:
            texts = (
                "{plot.point-before} {plot.next-point} put a cursor on a point and read it out",
                "  {plot.export} writes a picture or the data",
            )
            return tuple(Span(with_keys(text), "hint") for text in texts)
        return table.readout(min(row, table.rows - 1), self._view.column) or (Span("", "hint"),)

    def _keys(self) -> tuple[Key, ...]:
        return tuple(
            key for key in KEYS if key.footer and (key.action != "scale" or self._subject.scales)
        )

    def _lines(self, name: str) -> LinesWidget:
        return self.query_one(f"#{name}", LinesWidget)


def _wrapped(line: Line, width: int) -> Iterator[Line]:
    """The parts of a line in lines of at most a width; a part that is too long is cut."""
    shown: list[Span] = []
    for span in line:
        if shown and width_of((*shown, span)) > width:
            yield tuple(shown)
            shown, span = [], span._replace(text=span.text.lstrip())
        shown.append(span._replace(text=cut(span.text, width)))
    yield tuple(shown)


def _roles(lines: Iterable[Line]) -> set[str]:
    return {span.role for line in lines for span in line}
