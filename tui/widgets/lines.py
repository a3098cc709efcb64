"""A widget that shows lines of spans and redraws only the cells that changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Self

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.system.error_log import log_error
from tui.text.lines import ROLES, Line, Lines, Span, clean

ROLE_CLASSES = {f"role--{role}" for role in ROLES}
"""The component classes of the roles, for the screen that these widgets are on.

Textual makes a node for each component class of each widget whenever it applies styles. If every
widget had its own, these would take most of the time to the first screen.
"""


class LinesWidget(Widget):
    """Lines of spans; each role is a component class of the screen, so themes set the colors.

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

    @contextmanager
    def drawing(self) -> Iterator[Self]:
        """Show an error in the enclosed code in place of the lines."""
        try:
            yield self
        except Exception as error:
            self.lines = ((Span(f" {clean(log_error(error))}", "error"),),)

    def render_line(self, y: int) -> Strip:
        """One row, filled with the background to the widget's width."""
        style = self.screen.get_component_rich_style
        blank = style("role--plain")
        if y >= len(self._lines):
            return Strip.blank(self.size.width, blank)
        segments = [Segment(text, style(f"role--{role}")) for text, role in self._lines[y]]
        return Strip(segments).adjust_cell_length(self.size.width, blank)


def _changed(before: Lines, after: Lines) -> Iterator[Region]:
    """From the first to the last cell that differs, row by row, however cells form spans."""
    for y, (old, new) in enumerate(zip_longest(before, after, fillvalue=())):
        cells = enumerate(zip_longest(_cells(old), _cells(new))) if old != new else ()
        if differing := [x for x, (a, b) in cells if a != b]:
            yield Region(differing[0], y, differing[-1] + 1 - differing[0], 1)


def _cells(line: Line) -> list[tuple[str, str]]:
    """The character that each cell shows or, as its second half, continues."""
    return [(char, role) for text, role in line for char in text for _ in range(cell_len(char))]
