"""The screen in ASCII, for terminals that lack boxes, blocks and braille."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.text.glyphs import ascii_cells


class Ascii(LineFilter):
    """Writes each character as an ASCII one of its width: texts, plots, frames and dialogs."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in ASCII."""
        return [Segment(ascii_cells(text), style, control) for text, style, control in segments]
