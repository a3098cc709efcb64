"""The cells of a plot with their colors, as files of pictures draw them."""

from collections.abc import Iterator
from typing import NamedTuple

from tui.text.lines import Lines

Color = tuple[int, int, int]


class CellStyle(NamedTuple):
    """How a text looks; `back` is None on the picture's own background."""

    fore: Color
    back: Color | None = None
    bold: bool = False


class Run(NamedTuple):
    """A text that looks the same, from a cell on."""

    row: int
    column: int
    text: str
    style: CellStyle


class Picture(NamedTuple):
    """A plot to be drawn.

    Attributes:
        styles: of each role in the lines.
        back: the background.
    """

    lines: Lines
    styles: dict[str, CellStyle]
    back: Color

    @property
    def size(self) -> tuple[int, int]:
        """The columns and rows of cells."""
        widths = (sum(len(span.text) for span in line) for line in self.lines)
        return max(widths, default=1), max(1, len(self.lines))

    def runs(self) -> Iterator[Run]:
        """The texts, from left to right and from top to bottom."""
        for row, line in enumerate(self.lines):
            column = 0
            for text, role in line:
                yield Run(row, column, text, self.styles[role])
                column += len(text)


def mixed(color: Color, other: Color, share: float) -> Color:
    """A color with a share of another."""
    red, green, blue = (
        round(one + (two - one) * share) for one, two in zip(color, other, strict=True)
    )
    return red, green, blue
