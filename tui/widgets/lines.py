"""A widget that shows lines of spans and redraws only the cells that changed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Self

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App
from textual.filter import LineFilter, Monochrome, NoColor
from textual.geometry import Region
from textual.reactive import Reactive
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from tui.looks.ascii import Ascii
from tui.looks.palette import PaletteColors
from tui.looks.roles import role_variables
from tui.looks.terminal import Look
from tui.looks.themes import DEFAULT, OWN
from tui.system.error_log import log_error
from tui.system.output import Output
from tui.system.painting import REPAINT
from tui.text.lines import ROLES, Line, Lines, Span, clean
from tui.text.terms import explanation_at

_NO_COLOR, _ASCII = NoColor(), (Ascii(),)
_COLORS = {
    0: (_NO_COLOR,),
    256: (PaletteColors(nearest=True),),
    2**24: (PaletteColors(nearest=False),),
}
"""The filters for a number of colors; strips are kept for each filter, so there is one of each."""


class RoleApp(App[None]):
    """An app whose component classes are the roles, so themes set the colors.

    Textual makes a node for each component class of a widget whenever it applies styles, which it
    does three times to open a screen. If each widget or screen had its own, these would take most
    of the time to the first screen.

    Attributes:
        output: the stream it draws to, if it is a terminal's.
    """

    COMPONENT_CLASSES = {f"role--{role}" for role in ROLES}
    theme: Reactive[str] = Reactive(DEFAULT)

    def __init__(self) -> None:
        self._role_styles: dict[str, Style] = {}
        self._look = Look()
        self.output: Output | None = None
        super().__init__()

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Our themes, and Textual's."""
        return {**OWN, **super().available_themes}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colors of the roles."""
        return role_variables(self.current_theme)

    @property
    def is_behind(self) -> bool:
        """Whether the terminal has not taken the last frames yet."""
        return self.output is not None and self.output.is_behind

    def repaint(self) -> None:
        """Draw everything again, whatever the terminal shows."""
        self.forget_shown()
        self.refresh()

    def forget_shown(self) -> None:
        """Make the next frame a whole one: what the terminal shows is unknown."""
        if self._driver is not None:
            self._driver.write(REPAINT)

    def put_on(self, look: Look) -> None:
        """Draw as suits the terminal."""
        self._look, self.theme = look, look.theme

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and those for the terminal.

        Without colors, a terminal's own ones are left alone, which have no grays: Textual chooses
        the filter before it knows the theme, and would write black text on black.
        """
        native = self.native_ansi_color
        own = _ASCII if self._look.ascii_only else ()
        return (
            *(
                _NO_COLOR if native and isinstance(each, Monochrome) else each
                for each in super().get_line_filters()
            ),
            *_COLORS.get(self._look.colors, ()),
            *own,
        )

    def role_style(self, role: str) -> Style:
        """The style of a role on a screen's background."""
        if role not in self._role_styles:
            self._role_styles[role] = self.get_component_styles(f"role--{role}").rich_style
        return self._role_styles[role]

    def notify_style_update(self) -> None:
        """Look the styles up again: the theme may be another."""
        super().notify_style_update()
        self._role_styles.clear()


class LinesWidget(Widget):
    """Lines of spans; the app or, in a dialog, the dialog has a component class for each role.

    A widget's refresh rewrites its whole region, which over SSH is most of the cost of a change.
    Here it rewrites only the cells between the first and the last difference of each row.
    """

    DEFAULT_CSS = """
    LinesWidget { width: 1fr; }
    """

    _lines: Lines = ()

    @property
    def lines(self) -> Lines:
        """What is shown."""
        return self._lines

    @lines.setter
    def lines(self, lines: Lines) -> None:
        before, self._lines = self._lines, lines
        if regions := tuple(_changed(before, lines)):  # without regions all would be refreshed
            self.refresh(*regions)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain what is under the pointer."""
        text = self.tooltip_at(event.x, event.y)
        if text != self.tooltip:
            self.tooltip = text

    def tooltip_at(self, x: int, y: int) -> str | None:
        """What is under the pointer, in words: a term of the field."""
        line = self._lines[y] if y < len(self._lines) else ()
        return explanation_at("".join(text for text, _ in line), x)

    @contextmanager
    def drawing(self) -> Iterator[Self]:
        """Show an error in the enclosed code in place of the lines."""
        try:
            yield self
        except Exception as error:
            self.show_error((Span(f" {clean(log_error(error))}", "error"),))

    def show_error(self, error: Line) -> None:
        """Show an error in place of the lines."""
        self.lines = (error,)

    def render_line(self, y: int) -> Strip:
        """One row, filled with the background to the widget's width."""
        style = self._role_style
        blank = style("plain")
        if y >= len(self._lines):
            return Strip.blank(self.size.width, blank)
        segments = [Segment(text, style(role)) for text, role in self._lines[y]]
        return Strip(segments).adjust_cell_length(self.size.width, blank)

    def _role_style(self, role: str) -> Style:
        name, app = f"role--{role}", self.app
        if name in self.screen.COMPONENT_CLASSES:
            return self.screen.get_component_rich_style(name)
        assert isinstance(app, RoleApp)
        return app.role_style(role)


def _changed(before: Lines, after: Lines) -> Iterator[Region]:
    """From the first to the last cell that differs, row by row, however cells form spans."""
    for y, (old, new) in enumerate(zip_longest(before, after, fillvalue=())):
        cells = enumerate(zip_longest(_cells(old), _cells(new))) if old != new else ()
        if differing := [x for x, (a, b) in cells if a != b]:
            yield Region(differing[0], y, differing[-1] + 1 - differing[0], 1)


def _cells(line: Line) -> list[tuple[str, str]]:
    """The character that each cell shows or, as its second half, continues."""
    return [(char, role) for text, role in line for char in text for _ in range(cell_len(char))]
