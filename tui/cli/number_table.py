"""Tables of names and numbers as the commands print them.

Without a terminal, a table is as wide as it needs to be. In a terminal that is too narrow, names
are cut in the middle, then whole columns are left out, and listed; before the last one goes, names
are cut even more. Numbers are never cut.
"""

import os
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from tui.text.lines import clean, cut_name, distinct_width
from tui.text.outside import printable

_DIM = "dim"

_SCREENFUL = 40
"""Rows of a table that a terminal shows at once; after more, the headings come again."""


class NumberTable:
    """Right-aligned columns; the first one holds names, aligned left, by default.

    Args:
        headings: of the columns.
        names: whether the first column holds names.
        gap: cells between columns.
    """

    def __init__(self, *headings: str, names: bool = True, gap: int = 2) -> None:
        self._headings = list(map(printable, headings))
        self._styles = [""] * len(headings)
        self._rows: list[tuple[str, ...]] = []
        self._names, self._gap = names, gap

    def add_columns(self, *headings: str, style: str = "") -> None:
        """Add columns at the right end."""
        self._headings += map(printable, headings)
        self._styles += [style] * len(headings)

    def add_row(self, *cells: str) -> None:
        """Add a row with a cell for every column."""
        first = clean(cells[0]) if self._names else cells[0]
        self._rows.append(tuple(map(printable, (first, *cells[1:]))))

    def fits(self, width: int | None) -> bool:
        """Whether a width has room for all of it, names uncut; None is any width."""
        return width is None or self._width(range(len(self._headings)), self._widths()) <= width

    def print_to(self, console: Console, first_out: Sequence[int] = ()) -> None:
        """Print it, as wide as it needs or, in a terminal, as that allows; see `lines`."""
        for line in self.lines(terminal_width(console), first_out):
            console.print(line)

    def lines(self, room: int | None, first_out: Sequence[int] = ()) -> Iterator[Text]:
        """Its lines, no wider than `room` if possible; None is any width.

        `first_out` are the columns to leave out before any others, first ones first; after them the
        last column goes first. The first column always stays.
        """
        whole = self._widths()
        columns, widths = list(range(len(whole))), list(whole)
        if room is not None:
            if self._names:
                names = tuple(row[0] for row in self._rows)
                widths[0] = max(distinct_width(names), len(self._headings[0]))
            out = [*first_out, *(column for column in columns[:0:-1] if column not in first_out)]
            while out and self._width(columns, widths) > room:
                if self._names and len(columns) == 2:  # names without a number say nothing
                    least, other = len(self._headings[0]), self._gap + widths[columns[1]]
                    widths[0] = min(widths[0], max(least, room - other))
                if self._width(columns, widths) > room:
                    columns.remove(out.pop(0))
            spare = max(0, room - self._width(columns, widths))
            widths[0] = min(whole[0], widths[0] + spare)
        headings = self._line(self._headings, [_DIM] * len(whole), columns, widths)
        yield headings
        for row in self._rows:
            yield self._line(row, self._styles, columns, widths)
        if room is not None and len(self._rows) > _SCREENFUL:
            yield headings
        if hidden := [name for at, name in enumerate(self._headings) if at not in columns]:
            yield Text(f"not shown in {room} columns: {', '.join(hidden)}")

    def _widths(self) -> list[int]:
        columns = zip(self._headings, *self._rows, strict=True)
        return [max(map(len, column)) for column in columns]

    def _width(self, columns: Sequence[int], widths: Sequence[int]) -> int:
        return sum(widths[column] for column in columns) + self._gap * (len(columns) - 1)

    def _line(
        self,
        row: Sequence[str],
        styles: Sequence[str],
        columns: Sequence[int],
        widths: Sequence[int],
    ) -> Text:
        line = Text()
        for column in columns:
            text, width = row[column], widths[column]
            if self._names and not column:
                text = cut_name(text, width).ljust(width)
            else:
                text = " " * self._gap * bool(column) + text.rjust(width)
            line.append(text, styles[column])
        return line


def terminal_width(console: Console) -> int | None:
    """The width of the terminal that a console prints to; None if it is none."""
    try:
        return console.width if os.isatty(console.file.fileno()) else None
    except (OSError, ValueError):  # a file in memory, or a closed one
        return None
