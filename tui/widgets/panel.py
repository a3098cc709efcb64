"""Panels: lines in a frame with a title."""

from __future__ import annotations

from tui.text.frames import Frame, framed, inner_size
from tui.text.lines import Line, Lines
from tui.widgets.lines import LinesWidget


class Panel(LinesWidget):
    """Lines in a frame, which is drawn with them: so a change rewrites only the cells it changes.

    Attributes:
        frame: the kind of frame; the screen chooses it by its size.
        rows: the height it has once it is laid out; 0 if only the layout knows.
    """

    frame: Frame = "none"
    rows = 0
    _content: tuple[Lines, Line, Line] = ((), (), ())

    @property
    def inner(self) -> tuple[int, int]:
        """The width and height of the content."""
        return inner_size(self.frame, *self._outer)

    @property
    def _outer(self) -> tuple[int, int]:
        return self.size.width, self.rows or self.size.height

    def put(self, content: Lines, title: Line, footer: Line = ()) -> None:
        """Show a content with its title and, in a box, its footer."""
        self._content = content, title, footer
        self._draw_frame()

    def show_error(self, error: Line) -> None:
        """Show an error in the frame."""
        self.put((error,), self._content[1])

    def watch_has_focus(self, has_focus: bool) -> None:
        """Draw the frame in the color of the focus, or as the others.

        A handler of the focus's message would run before Textual's own, which sets the attribute.
        """
        super().watch_has_focus(has_focus)
        self._draw_frame()

    def _draw_frame(self) -> None:
        content, title, footer = self._content
        focused = self.can_focus and self.has_focus
        self.lines = framed(self.frame, content, title, *self._outer, footer, focused)
