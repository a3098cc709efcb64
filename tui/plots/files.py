"""The files plot: a net's size in every kind of file and by other ways of counting."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.numbers import aligned, ratio, short
from tui.plots.drawing.ticks import Axis, Tick
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits, header

_FILE, _COUNTED = "▏▎▍▌▋▊▉█", "░"
_MOST_NUMBERS = 0.55
"""Most of the width for numbers, so that there is room for bars."""

_LEAST_BAR = 0.15
"""Fraction of a decade, so that the smallest file has a bar, too."""


@dataclass(frozen=True, slots=True)
class FilesRow:
    """One way of counting.

    Attributes:
        bytes: None if unknown.
        note: Text next to the bytes, or in place of the bar.
        file: Whether it is a real file rather than a count.
    """

    name: str
    bytes: int | None
    note: str = ""
    file: bool = True


@dataclass(frozen=True, slots=True)
class FilesData:
    """Data of the files plot.

    Attributes:
        rows: The ways of counting, the most important last.
        dense: Bytes of all parameters in float32, for comparison.
        caption: The measured net.
        before: Whether it belongs to a previous plan.
    """

    rows: tuple[FilesRow, ...]
    dense: int
    caption: str = ""
    before: bool = False


def draw(data: FilesData, width: int, height: int) -> Lines:
    """Draw a bar on a logarithmic scale per row, with its numbers on the right.

    If there are more rows than lines, the first ones are dropped.
    """
    if not fits(width, height) or not data.rows:
        return blank(width, height)
    floor = height >= len(data.rows) + 3
    rows = data.rows[-(height - 1 - 2 * floor) :]
    body = _Chart(data, rows, floor).lines(width, height - 1)
    return (*header(_title(data), (), width, rows=1), *body, *blank(width, height - 1 - len(body)))


def _title(data: FilesData) -> Line:
    roles = ("muted",) * 3 if data.before else ("label", "file", "counted")
    return (
        Span("files ", "title"),
        Span("(log)  ", "hint"),
        Span(clean(data.caption), roles[0]),
        Span(f"  {_FILE[-1]} file", roles[1]),
        Span(f"  {_COUNTED} counted", roles[2]),
    )


@dataclass(frozen=True, slots=True)
class _Chart:
    """The visible rows."""

    data: FilesData
    rows: Sequence[FilesRow]
    floor: bool

    def lines(self, width: int, room: int) -> Lines:
        each = min((room - 2 * self.floor + 1) // len(self.rows), 4)
        # The last bar needs no gap to the axis.
        height = each * len(self.rows) - (each > 1)
        places = [height - each * index - 0.5 for index in range(len(self.rows))]
        axis = self._axis()
        canvas = Canvas(
            width,
            height + 2 * self.floor,
            axis,
            Axis(0, height, self._ticks(places, self._names(width // 3))),
            self._ticks(places, self._numbers(int(width * _MOST_NUMBERS))),
            self.floor,
        )
        for file, ramp, role in ((True, _FILE, "file"), (False, _COUNTED, "counted")):
            bars = {
                line: (math.log10(row.bytes) - axis.lower) / (axis.upper - axis.lower)
                for at, row in zip(places, self.rows, strict=True)
                for line in range(int(at), int(at) - max(1, each - 1), -1)
                if row.bytes and row.file == file
            }
            canvas.lying_bars(bars, ramp, "muted" if self.data.before else role)
        for at, row in zip(places, self.rows, strict=True):
            if not row.bytes:
                canvas.text(1, int(at), clean(row.note), "hint")
        return canvas.lines()

    def _axis(self) -> Axis:
        """Decimal logarithms of bytes, from a round number."""
        sizes = [max(1, self.data.dense), *(row.bytes for row in self.data.rows if row.bytes)]
        lower = math.floor(math.log10(min(sizes)) - _LEAST_BAR)
        upper = max(math.log10(max(sizes)), lower + 1.0)
        decades = range(lower, math.floor(upper) + 1)
        ticks = (Tick(power, short(10.0**power)) for power in decades)
        return Axis(lower, upper, tuple(ticks), "bytes")

    def _ticks(self, places: Sequence[float], texts: Sequence[str]) -> tuple[Tick, ...]:
        role = "muted" if self.data.before else "label"
        last = "muted" if self.data.before else "chosen"
        roles = (last if row is self.data.rows[-1] else role for row in self.rows)
        return tuple(map(Tick, places, texts, roles))

    def _names(self, width: int) -> list[str]:
        names = [cut(clean(row.name), width) for row in self.rows]
        longest = max(map(len, names))
        return [f"{name:<{longest}} " for name in names]

    def _numbers(self, width: int) -> list[str]:
        """Bytes, ratios and notes, as far as they fit."""
        columns = [
            [f"{row.bytes:,} B" if row.bytes else "" for row in self.rows],
            [ratio(row.bytes, self.data.dense) if row.bytes else "" for row in self.rows],
            [clean(row.note) if row.bytes else "" for row in self.rows],
        ]
        shown = [column for column in columns if any(column)]
        while shown and sum(1 + max(map(len, column)) for column in shown) > width:
            shown.pop()
        return aligned(shown) or [""] * len(self.rows)
