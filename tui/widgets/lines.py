"""A widget that shows lines of spans and rewrites only the cells that changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.text.lines import ROLES, Line, Lines

SCREEN_ROLES = (
    "muted",
    "brand",
    "headline",
    "good",
    "warning",
    "error",
    "working",
    "stale",
    "bar",
    "bar-chosen",
    "floor",
    "finetuned",
    "key",
    "does",
)
"""Roles beside those of the plots."""

ROLE_CLASSES = {f"role--{role}" for role in (*ROLES, *SCREEN_ROLES)}
"""The component classes of the roles, for the screen that these widgets are on.

Textual makes a node for each component class of each widget whenever it applies styles: had every
widget its own, they would be most of the time to the first screen.
"""


class LinesWidget(Widget):
    """Lines of spans; each role is a component class of the screen, so themes set the colors.

    A widget's refresh rewrites its whole region, which over SSH is most of the cost of a change:
    here only the cells between the first and the last difference of a row are.
    """

    DEFAULT_CSS = """
    LinesWidget { width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: Lines = ()

    @property
    def lines(self) -> Lines:
        """What is shown."""
        return self._lines

    @lines.setter
    def lines(self, lines: Lines) -> None:
        before, self._lines = self._lines, lines
        if before != lines:
            self.refresh(*_changed(before, lines))

    def render_line(self, y: int) -> Strip:
        """One row, filled with the background to the widget's width."""
        style = self.screen.get_component_rich_style
        blank = style("role--plain")
        if y >= len(self._lines):
            return Strip.blank(self.size.width, blank)
        segments = [Segment(text, style(f"role--{role}")) for text, role in self._lines[y]]
        return Strip(segments).adjust_cell_length(self.size.width, blank)


def _changed(before: Lines, after: Lines) -> Iterator[Region]:
    for y, (old, new) in enumerate(zip_longest(before, after, fillvalue=())):
        if old != new:
            start, end = _difference(_cells(old), _cells(new))
            yield Region(start, y, end - start, 1)


def _cells(line: Line) -> list[tuple[str, str]]:
    return [(char, role) for text, role in line for char in text]


def _difference(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> tuple[int, int]:
    """The first cell that differs and the one after the last."""
    pairs = list(zip_longest(old, new))
    differing = [x for x, (a, b) in enumerate(pairs) if a != b]
    return differing[0], differing[-1] + 1
