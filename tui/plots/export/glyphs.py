"""The shapes of characters that fonts draw unevenly: bars, braille dots, axes and marks.

Coordinates are shares of a cell, from its upper left corner.
"""

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
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]


Shape = Box | Dot | Polygon

_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_LEFT, _UP, _RIGHT, _DOWN = range(4)
_AXES = {
    "─": (_LEFT, _RIGHT), "│": (_UP, _DOWN), "┌": (_RIGHT, _DOWN), "┐": (_LEFT, _DOWN),
    "└": (_UP, _RIGHT), "┘": (_LEFT, _UP), "├": (_UP, _RIGHT, _DOWN), "┤": (_LEFT, _UP, _DOWN),
    "┬": (_LEFT, _RIGHT, _DOWN), "┴": (_LEFT, _UP, _RIGHT), "┼": (_LEFT, _UP, _RIGHT, _DOWN),
    "╋": (_LEFT, _UP, _RIGHT, _DOWN),
}  # fmt: skip
_THIN, _FLAT = 0.05, 0.025
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
    "↑": (Box(0.42, 0.4, 0.58, 0.75), Polygon(((0.1, 0.46), (0.9, 0.46), (0.5, 0.25)))),
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
    if char in _AXES:
        return tuple(_arm(side) for side in _AXES[char])
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


def _arm(side: int) -> Box:
    x, y = 0.5 - _THIN, 0.5 - _FLAT
    left, right = (0.0 if side == _LEFT else x), (1.0 if side == _RIGHT else 1 - x)
    top, bottom = (0.0 if side == _UP else y), (1.0 if side == _DOWN else 1 - y)
    return Box(left, top, right, bottom)


def _dashes(char: str) -> tuple[Shape, ...]:
    if char == "╌":
        edges = (0.5 - _FLAT, 0.5 + _FLAT)
        return tuple(Box(left, edges[0], left + 0.34, edges[1]) for left in (0.08, 0.58))
    if char in "┊╎":
        edges = (0.5 - _THIN, 0.5 + _THIN)
        return tuple(Box(edges[0], top, edges[1], top + 0.15) for top in (0.05, 0.3, 0.55, 0.8))
    return ()
