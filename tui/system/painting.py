"""What a terminal must be told so that it shows the next frame: only the cells that change.

Textual writes changed rows from their left edge, every text with its whole style and a reset. Over
SSH this is most of the cost of a key. Here a frame is compared with what the terminal shows.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, repeat

_TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(\n)|([^\x1b\n]+)")
"""A place (row and column), a style, the end of a row, or a text."""

_HARMLESS = re.compile(r"(\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b\[2[23];2t|\x07)+")
"""What leaves the screen as it is: window titles, notifications, the bell."""

BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Around a frame, if the terminal shows it at once."""

REPAINT = "\x1b[?25l"
"""Hides the cursor, which is hidden anyway: what is shown is unknown from here on."""

_MOVE = 4
"""Bytes to move a few cells on in a row: as many unchanged ones are rewritten instead."""

_UNKNOWN = ("", "")
"""A cell of which nothing is known."""


@dataclass
class _Shown:
    """What the terminal shows: a character and a style for each cell of each row."""

    rows: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def differing(self, y: int, x: int, cells: list[tuple[str, str]]) -> Iterator[tuple[int, int]]:
        """Runs of cells that differ from what is shown from a place on; now they are shown."""
        row = self.rows.setdefault(y, [])
        row.extend([_UNKNOWN] * (x + len(cells) - len(row)))
        before = row[x : x + len(cells)]
        if before == cells:
            return
        row[x : x + len(cells)] = cells
        start = end = -1
        for at, (old, new) in enumerate(zip(before, cells, strict=True)):
            if old != new:
                if start >= 0 and sum(len(char.encode()) for char, _ in cells[end:at]) > _MOVE:
                    yield start, end
                    start = at
                start, end = at if start < 0 else start, at + 1
        yield start, end


class Painter:
    """Turns frames into the changes between them; all other output passes as it is.

    Attributes:
        columns, rows: of the terminal. What is beyond them, of a frame that was made before the
            terminal shrank, is left out: a terminal would show it in its last column or row.
    """

    def __init__(self) -> None:
        self.columns = self.rows = sys.maxsize
        self._shown = _Shown()
        self._style = ""
        self._cursor: tuple[int, int] | None = None
        self._parts: list[str] = []
        self._begin = ""

    def changes(self, text: str) -> str:
        """What to write for a text, which is a frame or not."""
        if text == BEGIN:
            self._begin = text
            return ""
        if text == END:
            begun, self._begin = not self._begin, ""
            return text if begun else ""
        tokens = _tokens(text)
        painted = self._frame(tokens) if tokens else None
        if painted is None:
            painted = self._foreign(text)
        if painted:
            painted, self._begin = self._begin + painted, ""
        return painted

    def _foreign(self, text: str) -> str:
        """Something else than a frame, after which the screen may show anything."""
        if not _HARMLESS.fullmatch(text):
            self._shown.rows.clear()
            self._cursor = None
        reset, self._style = "\x1b[0m" if self._style else "", ""
        return reset + text

    def _frame(self, tokens: list[re.Match[str]]) -> str | None:
        place: tuple[int, int] | None = None
        style, self._parts = "", []
        for token in tokens:
            row, column, codes, end, text = token.groups()
            if row:
                place = int(row) - 1, int(column) - 1
            elif end:
                place = None
            elif text is None:
                style = "" if codes == "0" else codes
            elif place is None:
                return None
            else:
                place = self._text(*place, text, style)
        if place is not None:
            self._go(place)
        return "".join(self._parts)

    def _text(self, y: int, x: int, text: str, style: str) -> tuple[int, int]:
        """Write what changes by a text; returns the place after it."""
        width = _width(text)
        place = y, x + width
        if y >= self.rows or x >= self.columns:
            return place
        if x + width > self.columns:
            self._text(y, x, _cut(text, self.columns - x), style)
            return place
        if width != len(text):
            cells = [_UNKNOWN] * width
            self._write((y, x), text, style)
            tuple(self._shown.differing(y, x, cells))
            self._cursor = None
        else:
            look = style if text.strip(" ") else _of_blank(style)
            cells = list(zip(text, repeat(look)))
            for start, end in self._shown.differing(y, x, cells):
                self._write((y, x + start), text[start:end], look)
        return place

    def _write(self, place: tuple[int, int], text: str, style: str) -> None:
        self._go(place)
        alike = not text.strip(" ") and _of_blank(self._style) == _of_blank(style)
        if style != self._style and not alike:
            self._parts.append(_transition(self._style, style))
            self._style = style
        self._parts.append(text)
        self._cursor = place[0], place[1] + len(text)

    def _go(self, place: tuple[int, int]) -> None:
        y, x = place
        if place == self._cursor or y >= self.rows or x >= self.columns:
            return
        if self._cursor is not None and self._cursor[0] == y and self._cursor[1] < x:
            steps = x - self._cursor[1]
            self._parts.append(f"\x1b[{steps}C" if steps > 1 else "\x1b[C")
        else:
            self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        self._cursor = place


def _tokens(text: str) -> list[re.Match[str]]:
    """The parts of a frame, which begins with a place; none of any other text."""
    tokens: list[re.Match[str]] = []
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() != end or (not tokens and not token[1]):
            return []
        tokens.append(token)
        end = token.end()
    return tokens if end == len(text) else []


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(text, width)


@lru_cache(maxsize=4096)
def _parts_of(style: str) -> tuple[frozenset[str], str, str]:
    """The attributes, the color and the background of a style, by their codes."""
    attributes, color, ground = set(), "39", "49"
    codes = iter(style.split(";") if style else ())
    for code in codes:
        full = code
        if code in ("38", "48"):
            kind = next(codes, "")
            full = ";".join((code, kind, *islice(codes, 1 if kind == "5" else 3)))
        if code == "38" or (len(code) > 1 and code[0] in "39"):
            color = full
        elif code == "48" or (len(code) > 1 and code[0] in "41"):
            ground = full
        else:
            attributes.add(full)
    return frozenset(attributes), color, ground


_END_OF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
"""The code that ends each attribute; bold and dim share theirs."""


@lru_cache(maxsize=4096)
def _transition(now: str, wanted: str) -> str:
    """The shortest sequence from one style to another."""
    old, new = _parts_of(now), _parts_of(wanted)
    whole = f"\x1b[0;{wanted}m" if wanted else "\x1b[0m"
    ends = {_END_OF.get(attribute, "") for attribute in old[0] - new[0]}
    if "" in ends:
        return whole
    kept = {attribute for attribute in old[0] & new[0] if _END_OF.get(attribute) not in ends}
    codes = [*sorted(ends), *sorted(new[0] - kept)]
    codes += [code for before, code in zip(old[1:], new[1:], strict=True) if code != before]
    return min(f"\x1b[{';'.join(codes)}m" if codes else "", whole, key=len)


@lru_cache(maxsize=4096)
def _of_blank(style: str) -> str:
    """A style as blank cells show it: without a color, unless that is seen in them."""
    attributes, _, ground = _parts_of(style)
    if attributes & {"4", "7", "9", "21"}:
        return style
    return "" if ground == "49" else ground
