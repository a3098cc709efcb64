"""Every character as ASCII characters of the same width, so that columns and plots stay aligned."""

import unicodedata

_SIGNS = {
    **dict(zip("→←↑↓±×–—…·∞√≤≥⌂", "><^v~x--~.8v<>@", strict=True)),
    **dict(zip("▶▸▾▴▲▼▪▫●○◉◎■◆✗«»•", ">>v^^v*o*o@o#@x<>*", strict=True)),
    **dict(zip("─━═╌▔│┃║▕▐┊╎", "-==--||||||:", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇█▀", "__.-==##^", strict=True)),
    **dict(zip("▏▎▍▌▋▊▉░▒▓", "|||====.:%", strict=True)),
}
"""Characters with an ASCII one of the same meaning or shape."""

_BRAILLE = 0x2800
_DOTS = {
    1: (0, 0),
    2: (1, 0),
    4: (2, 0),
    8: (0, 1),
    16: (1, 1),
    32: (2, 1),
    64: (3, 0),
    128: (3, 1),
}
"""Row and column of the dot of each bit."""

_MANY = 5
"""Dots that make a cell an area, no longer a line."""


def ascii_cells(text: str) -> str:
    """A text in as much ASCII as it has cells.

    Examples:
        >>> ascii_cells("▶ conv1 ███▌ 9±1 層")
        '> conv1 ###= 9~1 ??'
    """
    return text if text.isascii() else text.translate(_TABLE)


class _Table(dict[int, str]):
    """What each character becomes, found out when it first comes up."""

    def __missing__(self, code: int) -> str:
        known = self[code] = chr(code) if code < 128 else _cells(chr(code))
        return known


_TABLE = _Table()


def _cells(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if "\u2500" <= char <= "\u259f":  # parts of boxes, and blocks
        return "+" if char <= "\u257f" else "#"
    if _BRAILLE <= ord(char) <= _BRAILLE + 255:
        return _line(ord(char) - _BRAILLE)
    if unicodedata.category(char).startswith("M"):
        return ""
    return "??" if unicodedata.east_asian_width(char) in "WF" else "?"


def _line(bits: int) -> str:
    """What the dots of a braille character draw: a line, which may rise or fall, or an area."""
    dots = [place for bit, place in _DOTS.items() if bits & bit]
    if not dots:
        return " "
    if len(dots) >= _MANY:
        return ":"
    left, right = ([row for row, column in dots if column == side] for side in (0, 1))
    rows = [row for row, _ in dots]
    if left and right and sum(left) * len(right) != sum(right) * len(left):
        return "/" if sum(left) * len(right) > sum(right) * len(left) else "\\"
    if max(rows) - min(rows) >= 2:
        return "|"
    middle = sum(rows) / len(rows)
    return "'" if middle < 1 else "-" if middle < 2.5 else "_" if left and right else "."
