"""The shapes of characters that fonts draw unevenly: bars, braille dots, lines and marks.

Coordinates are shares of a cell, from its upper left corner.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple


class Box(NamedTuple):
    """A filled rectangle; `opacity` is below 1 for a shade."""

    left: float
    top: float
    right: float
    bottom: float
    opacity: float = 1.0


class Dot(NamedTuple):
    """A disk, or a ring of a width; its radius is a share of the cell's width."""

    x: float
    y: float
    radius: float
    ring: float = 0.0


class Polygon(NamedTuple):
    """A filled polygon; clockwise, as boxes are drawn, where it overlaps one."""

    points: tuple[tuple[float, float], ...]


Shape = Box | Dot | Polygon

_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
# The sides of its cell that a line reaches from the middle.
_LINES = {
    "─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "tr", "┘": "lt", "├": "trb", "┤": "ltb",
    "┬": "lrb", "┴": "ltr", "┼": "ltrb", "╋": "ltrb",
}  # fmt: skip
_CORNERS = {"╭": "rb", "╮": "lb", "╰": "rt", "╯": "lt"}
_ARC_STEPS = 4
# Half the width of an upright line, half the height of a level one, and of a heavy one.
_THIN, _FLAT, _HEAVY = 0.05, 0.025, 0.06
_POLYGONS = {
    "◆": ((0.5, 0.27), (0.96, 0.5), (0.5, 0.73), (0.04, 0.5)),
    "■": ((0.1, 0.3), (0.9, 0.3), (0.9, 0.7), (0.1, 0.7)),
    "▪": ((0.25, 0.38), (0.75, 0.38), (0.75, 0.62), (0.25, 0.62)),
    "▸": ((0.15, 0.3), (0.85, 0.5), (0.15, 0.7)),
    "▾": ((0.05, 0.38), (0.95, 0.38), (0.5, 0.68)),
    "▴": ((0.05, 0.62), (0.95, 0.62), (0.5, 0.32)),
    "×": ((0.1, 0.34), (0.2, 0.29), (0.5, 0.44), (0.8, 0.29), (0.9, 0.34), (0.6, 0.5), (0.9, 0.66),
          (0.8, 0.71), (0.5, 0.56), (0.2, 0.71), (0.1, 0.66), (0.4, 0.5)),
    "–": ((0.1, 0.48), (0.9, 0.48), (0.9, 0.54), (0.1, 0.54)),
}  # fmt: skip
_ARROWS = {
    "→": (Box(0, 0.47, 0.6, 0.53), Polygon(((0.5, 0.38), (1, 0.5), (0.5, 0.62)))),
    "↑": (Box(0.42, 0.4, 0.58, 0.75), Polygon(((0.5, 0.25), (0.9, 0.46), (0.1, 0.46)))),
    "↓": (Box(0.42, 0.25, 0.58, 0.6), Polygon(((0.1, 0.54), (0.9, 0.54), (0.5, 0.75)))),
}
_DISKS = {
    "●": (Dot(0.5, 0.5, 0.42),),
    "○": (Dot(0.5, 0.5, 0.42, 0.14),),
    "◉": (Dot(0.5, 0.5, 0.45, 0.12), Dot(0.5, 0.5, 0.22)),
    "◎": (Dot(0.5, 0.5, 0.45, 0.12), Dot(0.5, 0.5, 0.2, 0.1)),
}
# The bit of each braille dot, row by row.
_BRAILLE = ((1, 8), (2, 16), (4, 32), (64, 128))


@cache
def shapes(char: str) -> tuple[Shape, ...]:
    """Return the shapes of a character; none if it is a letter, to be written in a font."""
    if "\u2581" <= char <= "\u2588":
        return (Box(0, 1 - (ord(char) - 0x2580) / 8, 1, 1),)
    if "\u2589" <= char <= "\u258f":
        return (Box(0, 0, (0x2590 - ord(char)) / 8, 1),)
    if char in _SHADES:
        return (Box(0, 0, 1, 1, _SHADES[char]),)
    if "\u2801" <= char <= "\u28ff":
        return tuple(_braille(ord(char) - 0x2800))
    if char in _LINES:
        return tuple(_lines(_LINES[char]))
    if char in _CORNERS:
        return (_corner(*_CORNERS[char]),)
    if char == "━":
        return (Box(0, 0.5 - _HEAVY, 1, 0.5 + _HEAVY),)
    if char in _POLYGONS:
        return (Polygon(_POLYGONS[char]),)
    return _DISKS.get(char) or _ARROWS.get(char) or _dashes(char)


def _braille(bits: int) -> list[Dot]:
    return [
        Dot(0.25 + 0.5 * column, 0.125 + 0.25 * row, 0.17)
        for row, line in enumerate(_BRAILLE)
        for column, bit in enumerate(line)
        if bits & bit
    ]


def _lines(sides: str) -> Iterator[Box]:
    left, top = 0.5 - _THIN, 0.5 - _FLAT
    if "l" in sides or "r" in sides:
        yield Box(0 if "l" in sides else left, top, 1 if "r" in sides else 1 - left, 1 - top)
    if "t" in sides or "b" in sides:
        yield Box(left, 0 if "t" in sides else top, 1 - left, 1 if "b" in sides else 1 - top)


def _corner(side: str, end: str) -> Polygon:
    """A rounded corner from a side to the top or bottom; a circle in a cell twice as high."""
    right, down = (1 if side == "r" else -1), (1 if end == "b" else -1)

    def arc(bend: int) -> list[tuple[float, float]]:
        """The outer edge of the line if `bend` is 1, the inner one if it is -1."""
        angles = (step / _ARC_STEPS * math.pi / 2 for step in range(_ARC_STEPS + 1))
        across, along = 0.5 + bend * _THIN, 0.25 + bend * _FLAT
        edge = [(across * math.cos(angle), along * math.sin(angle)) for angle in angles]
        places = [(across, -0.25), *edge]
        return [(0.5 + right * (0.5 - x), 0.5 + down * (0.25 - y)) for x, y in places]

    return Polygon((*arc(1), *reversed(arc(-1))))


def _dashes(char: str) -> tuple[Shape, ...]:
    if char == "╌":
        edges = (0.5 - _FLAT, 0.5 + _FLAT)
        return tuple(Box(left, edges[0], left + 0.34, edges[1]) for left in (0.08, 0.58))
    if char in "┊╎":
        edges = (0.5 - _THIN, 0.5 + _THIN)
        return tuple(Box(edges[0], top, edges[1], top + 0.15) for top in (0.05, 0.3, 0.55, 0.8))
    return ()
