"""From a cast to frames: what the terminal shows, and for how long.

The last row is the demo's caption. A caption stays as long as it did, up to a limit; what happens
under a longer one is shown faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, zip_longest
from typing import Any, NamedTuple

import pyte

from screenshots.cast import Cast

LONGEST = 2.8
"""Seconds that a caption stays at most: somebody reads it alone."""

FRAMES = 5
"""Frames under one caption at most."""


SHORTEST = 0.05
"""Seconds of a frame at least."""

END = "\x1b[0m"
"""The last output of a cast whose last frame ends there."""

WHOLE = 0.03
"""Seconds without output after which a frame is whole."""


class Cells(NamedTuple):
    """Adjacent characters that look alike.

    Attributes:
        start: the column of the first one.
        colors: of the text and of its background, as RRGGBB; empty for the terminal's own.
    """

    start: int
    text: str
    colors: tuple[str, str]
    bold: bool


Row = tuple[Cells, ...]


@dataclass(frozen=True)
class Frame:
    """A screen, row by row, and the seconds for which it is shown."""

    rows: tuple[Row, ...]
    seconds: float


def frames(cast: Cast) -> tuple[Frame, ...]:
    """The frames of an animation."""
    shown = [*_screens(cast)]
    last, text = cast.output[-1]
    end = last if text == END else shown[-1][0] + LONGEST
    timed = [
        (rows, later - at)
        for (at, rows), (later, _) in pairwise([*shown, (end, ())])
        if _caption(rows)
    ]
    result = list[Frame]()
    for _, group in groupby(timed, key=lambda each: _caption(each[0])):
        result += _shortened([*group])
    return tuple(result)


def _screens(cast: Cast) -> Iterator[tuple[float, tuple[Row, ...]]]:
    """Every screen that differs from the one before it, and when it was shown."""
    screen = pyte.Screen(cast.columns, cast.rows)
    stream, rows = pyte.Stream(screen), dict[int, Row]()
    for (at, text), (later, _) in pairwise([*cast.output, (float("inf"), "")]):
        stream.feed(text)
        if later - at < WHOLE:  # the rest of the same frame follows
            continue
        before = dict(rows)
        rows |= {y: _row(screen.buffer[y], cast.columns) for y in screen.dirty}
        screen.dirty.clear()
        if rows != before:
            yield at, tuple(rows[y] for y in range(cast.rows))


def _row(cells: Any, columns: int) -> Row:
    """The characters of a row, in groups that look alike."""
    row, start = list[Cells](), 0
    looks = ((_look(cells[x]), cells[x].data) for x in range(columns))
    for (colors, bold), group in groupby(looks, key=lambda each: each[0]):
        text = "".join(char for _, char in group)
        row.append(Cells(start, text, colors, bold))
        start += len(text)
    return tuple(row)


def _look(cell: Any) -> tuple[tuple[str, str], bool]:
    front, back = (_color(color) for color in (cell.fg, cell.bg))
    return ((back, front) if cell.reverse else (front, back)), cell.bold


def _color(name: str) -> str:
    return name if len(name) == 6 and all(char in "0123456789abcdef" for char in name) else ""


def _caption(rows: Sequence[Row]) -> str:
    """The caption of a screen; the numbers of live ones do not make another."""
    text = "".join(cells.text for cells in rows[-1]).strip() if rows else ""
    return text.split("   ")[0]


def _shortened(timed: Sequence[tuple[tuple[Row, ...], float]]) -> list[Frame]:
    """The frames under one caption: some of them, evenly spread, faster if they take too long."""
    total = sum(seconds for _, seconds in timed)
    speed = max(1.0, total / LONGEST)
    slot = total / FRAMES if len(timed) > FRAMES else 0.0
    left, result = 0.0, list[Frame]()
    for index, (rows, seconds) in enumerate(timed):
        left += seconds
        if left >= max(slot, SHORTEST * speed) or index == len(timed) - 1:
            result.append(Frame(rows, max(SHORTEST, left / speed)))
            left = 0.0
    return result


def retold(film: Sequence[Frame], cast: Cast) -> Cast:
    """A cast of these frames only: each writes the rows that differ from the frame before."""
    output, at = [(0.0, "\x1b[?25l\x1b[2J")], WHOLE
    before: tuple[Row, ...] = ()
    for frame in film:
        pairs = zip_longest(frame.rows, before)
        rows = (f"\x1b[{y}H{_written(row)}" for y, (row, old) in enumerate(pairs, 1) if row != old)
        output.append((at, "".join(rows)))
        before, at = frame.rows, at + frame.seconds
    return replace(cast, output=(*output, (at, END)))


def _written(row: Row) -> str:
    """A row as a terminal reads it."""
    return "".join(f"\x1b[{_codes(cells)}m{cells.text}" for cells in row) + "\x1b[m"


def _codes(cells: Cells) -> str:
    colors = zip((38, 48), cells.colors, strict=True)
    shown = (f"{kind};2;{';'.join(map(str, bytes.fromhex(c)))}" for kind, c in colors if c)
    return ";".join(("0", *(["1"] if cells.bold else []), *shown))
