"""From frames to an animated SVG: CSS shows each row that occurs while it is on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import accumulate

from screenshots.film import Cells, Frame, Row
from screenshots.glyphs import boxes, is_block

WIDTH, HEIGHT, FONT = 8, 17, 13.3
"""Of a cell and of the letters in it, in pixels."""

MARGIN = 12
FRONT, BACK = "e0e0e0", "121212"
FONTS = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"


def animated(film: Sequence[Frame], columns: int, title: str, poster: int = -1) -> str:
    """The SVG; `poster` is the frame for those who see no animation."""
    total = sum(frame.seconds for frame in film)
    shares = [100 * at / total for at in accumulate((frame.seconds for frame in film), initial=0)]
    sheet = _Sheet(shares[:-1], poster % len(film))
    body = "".join(
        f'<g transform="translate(0 {y * HEIGHT})">{"".join(_row(rows, sheet))}</g>'
        for y, rows in enumerate(zip(*(frame.rows for frame in film), strict=True))
    )
    width, height = columns * WIDTH, len(film[0].rows) * HEIGHT
    style = (
        f".s{{visibility:hidden;animation:{total:.1f}s step-end infinite}}"
        ".p{visibility:visible}@media(prefers-reduced-motion){.s{animation:none!important}}"
        f"text{{white-space:pre;font:{FONT}px {FONTS};fill:#{FRONT}}}"
        f".e{{shape-rendering:crispEdges}}.b{{font-weight:bold}}{sheet.rules}"
    )
    box = f"0 0 {width + 2 * MARGIN} {height + 2 * MARGIN}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#{BACK}"/>'
        f'<svg x="{MARGIN}" y="{MARGIN}" width="{width}" height="{height}">{body}</svg></svg>\n'
    )


class _Sheet:
    """Short class names for colors, and for the frames in which something is shown."""

    def __init__(self, shares: Sequence[float], poster: int) -> None:
        self._colors: dict[str, str] = {}
        self._times: dict[tuple[bool, ...], str] = {}
        self._shares, self._poster = shares, poster

    def color(self, color: str) -> str:
        """The class of a color."""
        return self._colors.setdefault(color, f"c{len(self._colors)}")

    def times(self, shown: tuple[bool, ...]) -> str:
        """The classes of what is shown in some frames only."""
        name = self._times.setdefault(shown, f"t{len(self._times)}")
        return f"s {name} p" if shown[self._poster] else f"s {name}"

    @property
    def rules(self) -> str:
        """The rules of all classes."""
        colors = (f".{name}{{fill:#{color}!important}}" for color, name in self._colors.items())
        return "".join((*colors, *map(self._moves, self._times)))

    def _moves(self, shown: tuple[bool, ...]) -> str:
        name, before = self._times[shown], (None, *shown)
        changes = "".join(
            f"{share:.4g}%{{visibility:{'visible' if now else 'hidden'}}}"
            for share, now, then in zip(self._shares, shown, before, strict=False)
            if now != then
        )
        return f".{name}{{animation-name:{name}}}@keyframes {name}{{{changes}}}"


def _row(shown: Sequence[Row], sheet: _Sheet) -> Iterator[str]:
    """Everything a row shows, each with its times."""
    for row in dict.fromkeys(shown):
        times = tuple(each == row for each in shown)
        shapes = "".join(_shapes(row, sheet))
        if shapes:
            yield shapes if all(times) else f'<g class="{sheet.times(times)}">{shapes}</g>'


def _shapes(row: Row, sheet: _Sheet) -> Iterator[str]:
    """The backgrounds, boxes and texts of a row."""
    for cells in row:
        x, (front, back) = cells.start * WIDTH, cells.colors
        if back and back != BACK:
            name = sheet.color(back)
            yield f'<path class="e {name}" d="M{x} 0h{len(cells.text) * WIDTH}v{HEIGHT}H{x}z"/>'
        name = sheet.color(front or FRONT)
        yield from _boxes(cells, f"e {name}", is_block)
        yield from _boxes(cells, name, lambda char: not is_block(char))
        yield from _texts(cells, name)


def _boxes(cells: Cells, name: str, takes: Callable[[str], bool]) -> Iterator[str]:
    """What is drawn as shapes, in one path; boxes side by side become one."""
    found = list[list[float]]()
    for place, char in enumerate(cells.text, cells.start):
        for left, top, width, height in boxes(char, WIDTH / HEIGHT) if takes(char) else ():
            x, y = (place + left) * WIDTH, top * HEIGHT
            last = found[-1] if found else [0.0] * 4
            if abs(last[0] + last[2] - x) < 0.01 and (last[1], last[3]) == (y, height * HEIGHT):
                last[2] += width * WIDTH
            else:
                found.append([x, y, width * WIDTH, height * HEIGHT])
    if found:
        path = "".join(f"M{_(x)} {_(y)}h{_(w)}v{_(h)}h{_(-w)}z" for x, y, w, h in found)
        yield f'<path class="{name}" d="{path}"/>'


def _texts(cells: Cells, name: str) -> Iterator[str]:
    """What is drawn as text: words apart from others by more than one space have their own x."""
    text = "".join(" " if boxes(char, 1.0) else char for char in cells.text)
    start = 0
    for word in text.split("  "):
        stripped = word.strip()
        if stripped:
            x = (cells.start + start + word.index(stripped)) * WIDTH
            length = len(stripped) * WIDTH
            bold = " b" if cells.bold else ""
            fit = f'textLength="{length}" lengthAdjust="spacingAndGlyphs"'
            shown = escape(stripped, quote=False)
            yield f'<text class="{name}{bold}" x="{x}" y="13" {fit}>{shown}</text>'
        start += len(word) + 2


def _(value: float) -> str:
    """A number in as few characters as show it."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
