"""Characters that are drawn as shapes, so that they meet without gaps in any font."""

from __future__ import annotations

from collections.abc import Iterator

Box = tuple[float, float, float, float]
"""Left, top, width and height, in parts of a cell."""

THIN, THICK = 0.15, 0.3
"""The width of lines, in parts of a cell's width."""

_SIDES = {
    "─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "tr", "┘": "tl",
    "├": "tbr", "┤": "tbl", "┬": "lrb", "┴": "lrt", "┼": "tblr",
    "╭": "rb", "╮": "lb", "╰": "tr", "╯": "tl", "╶": "r", "╴": "l", "╵": "t", "╷": "b",
}  # fmt: skip
"""The sides of a cell that lines reach from its middle: top, bottom, left, right."""

_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit of a braille character."""


def is_block(char: str) -> bool:
    """Whether it fills a part of its cell to the edges, where it must meet its neighbors."""
    return "▀" <= char <= "▏"


def boxes(char: str, ratio: float) -> tuple[Box, ...]:
    """The boxes of a character in a cell of this width over height; none if it is a text's."""
    if char in _SIDES:
        return tuple(_lines(_SIDES[char], THIN, ratio))
    if char in "━╸":
        return tuple(_lines("lr" if char == "━" else "l", THICK, ratio))
    if "▁" <= char <= "█":
        height = (ord(char) - 0x2580) / 8
        return ((0, 1 - height, 1, height),)
    if "▉" <= char <= "▏":
        return ((0, 0, (0x2590 - ord(char)) / 8, 1),)
    if char == "▀":
        return ((0, 0, 1, 0.5),)
    if "\u2800" < char <= "\u28ff":
        return tuple(_dots(ord(char) - 0x2800, ratio))
    return ()


def _lines(sides: str, width: float, ratio: float) -> Iterator[Box]:
    height = width * ratio
    left, top = (1 - width) / 2, (1 - height) / 2
    start, end = (0 if "l" in sides else left), (1 if "r" in sides else left + width)
    if "l" in sides or "r" in sides:
        yield start, top, end - start, height
    start, end = (0 if "t" in sides else top), (1 if "b" in sides else top + height)
    if "t" in sides or "b" in sides:
        yield left, start, width, end - start


def _dots(bits: int, ratio: float) -> Iterator[Box]:
    size = 0.28
    for bit, (column, row) in enumerate(_DOTS):
        if bits >> bit & 1:
            yield (
                (column + 0.5) / 2 - size / 2,
                (row + 0.5) / 4 - size * ratio / 2,
                size,
                size * ratio,
            )
