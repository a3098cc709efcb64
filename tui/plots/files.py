"""The files plot: a net's size as each kind of file, and calculated sizes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.bars import bar_canvas
from tui.plots.drawing.heading import heading
from tui.plots.drawing.numbers import aligned, ratio
from tui.plots.drawing.ticks import Axis, Tick
from tui.plots.view import PLAIN, View
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits
from tui.text.units import short

LABEL = "Files"
_FILE, _COUNTED = "▏▎▍▌▋▊▉█", "░"
# The most of the width that numbers take, so that there is room for bars.
_NUMBERS, _FEWER, _WIDE = 0.55, 0.25, 56
# The least cells for names.
_NAME = 18
# The shortest bar in decades, so that the smallest file has a bar, too.
_LEAST_BAR = 0.15


@dataclass(frozen=True, slots=True)
class FilesRow:
    """One size of a net.

    Attributes:
        bytes: None if unknown.
        note: Text next to the bytes, or in place of the bar.
        file: Whether it is a real file rather than a calculated size.
    """

    name: str
    bytes: int | None
    note: str = ""
    file: bool = True


@dataclass(frozen=True, slots=True)
class FilesData:
    """Data of the files plot.

    Attributes:
        rows: The sizes, the most important last.
        dense: Bytes of all parameters in float32, for comparison.
        caption: The measured net.
        stale: Whether it belongs to a previous plan.
    """

    rows: tuple[FilesRow, ...]
    dense: int
    caption: str = ""
    stale: bool = False


def draw(data: FilesData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw a bar on a logarithmic scale per row, with its numbers on the right.

    If there are more rows than lines, the first ones are dropped.
    """
    if not fits(width, height) or not data.rows:
        return blank(width, height)
    bottom_axis = height >= len(data.rows) + 3
    head = heading(title(data), _legend(data), width, height, view)
    room = height - len(head) - 2 * bottom_axis
    last = len(data.rows) - 1
    chosen = last if view.row is None else min(max(view.row, 0), last)
    first = min(max(0, len(data.rows) - room), chosen)
    shown = data.rows[first : first + room]
    body = _bars(data, shown, chosen - first, bottom_axis, width, room)
    return (*head, *body, *blank(width, height - len(head) - len(body)))


def title(data: FilesData) -> Line:
    """Return the measured net."""
    role = "muted" if data.stale else "label"
    caption = (Span(f" · {clean(data.caption)}", role),) if data.caption else ()
    return Span(LABEL, "title"), *caption


def table(data: FilesData) -> DataTable:
    """Return the bytes of each kind of file."""
    rows = data.rows
    columns = (
        Column("file", [row.name for row in rows]),
        Column("size", [row.bytes for row in rows], "bytes"),
        Column("kind", ["file" if row.file else "calculated" for row in rows]),
        Column("note", [row.note or None for row in rows]),
    )
    return DataTable(columns, across=1)


def _legend(data: FilesData) -> Line:
    roles = ("muted",) * 2 if data.stale else ("file", "counted")
    return (
        Span(f"{_FILE[-1]} file", roles[0]),
        Span(f"  {_COUNTED} calculated", roles[1]),
        Span("  log scale", "label"),
    )


def _bars(
    data: FilesData, rows: Sequence[FilesRow], chosen: int, bottom_axis: bool, width: int, room: int
) -> Lines:
    lines = min((room + 1) // len(rows), 4)
    axis, muted = _axis(data), data.stale
    role, last = ("muted", "muted") if muted else ("label", "chosen")
    roles = [last if at == chosen else role for at in range(len(rows))]
    names = [f"{cut(clean(row.name), max(_NAME, width // 3))} " for row in rows]
    share = _NUMBERS if width >= _WIDE else _FEWER
    numbers = _numbers(rows, data.dense, int(width * share))
    canvas = bar_canvas(width, lines, axis, names, numbers, roles, bottom_axis)
    tops = range(canvas.rows - 1, -1, -lines)
    for file, ramp, role in ((True, _FILE, "file"), (False, _COUNTED, "counted")):
        bars = {
            line: (math.log10(row.bytes) - axis.lower) / (axis.upper - axis.lower)
            for top, row in zip(tops, rows, strict=True)
            for line in range(top, top - max(1, lines - 1), -1)
            if row.bytes and row.file == file
        }
        canvas.horizontal_bars(bars, ramp, "muted" if muted else role)
    for top, row in zip(tops, rows, strict=True):
        if not row.bytes:
            canvas.text(1, top, clean(row.note), "hint")
    return canvas.lines()


def _axis(data: FilesData) -> Axis:
    """Return an axis of decimal logarithms of bytes, from a round number."""
    sizes = [max(1, data.dense), *(row.bytes for row in data.rows if row.bytes)]
    lower = math.floor(math.log10(min(sizes)) - _LEAST_BAR)
    upper = max(math.log10(max(sizes)), lower + 1.0)
    decades = range(lower, math.floor(upper) + 1)
    ticks = (Tick(power, short(10.0**power)) for power in decades)
    return Axis(lower, upper, tuple(ticks), "bytes")


def _numbers(rows: Sequence[FilesRow], dense: int, width: int) -> list[str]:
    """Return bytes, ratios and notes, as far as they fit."""
    columns = [
        [f"{row.bytes:,} B" if row.bytes else "" for row in rows],
        [ratio(row.bytes, dense) if row.bytes else "" for row in rows],
        [clean(row.note) if row.bytes else "" for row in rows],
    ]
    shown = [column for column in columns if any(column)]
    while shown and sum(1 + max(map(len, column)) for column in shown) > width:
        shown.pop()
    return aligned(shown) or [""] * len(rows)
