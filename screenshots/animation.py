"""From frames to an animated SVG: CSS shows each row that occurs while it is on the screen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate, chain

from screenshots.film import Cells, Frame, Row
from tui.plots.export.glyphs import Box, Dot, Polygon, shapes

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
        f"text{{white-space:pre;font:{FONT}px {FONTS}}}text,path{{fill:currentColor}}"
        ".e{shape-rendering:crispEdges}.b{font-weight:bold}"
        f".d{{stroke:currentColor;stroke-linecap:round}}.r{{fill:none}}{sheet.rules}"
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
        colors = (f".{name}{{color:#{color}}}" for color, name in self._colors.items())
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
        drawn = "".join(_drawn(row, sheet))
        if drawn:
            yield drawn if all(times) else f'<g class="{sheet.times(times)}">{drawn}</g>'


def _drawn(row: Row, sheet: _Sheet) -> Iterator[str]:
    """The backgrounds, shapes and texts of a row."""
    for cells in row:
        x, (front, back) = cells.start * WIDTH, cells.colors
        if back and back != BACK:
            name = sheet.color(back)
            yield f'<path class="e {name}" d="M{x} 0h{len(cells.text) * WIDTH}v{HEIGHT}H{x}z"/>'
        name = sheet.color(front or FRONT)
        yield from _paths(cells, name)
        yield from _texts(cells, name)


_Look = tuple[str, str]
"""The classes of a path besides its color, and its other attributes."""


def _paths(cells: Cells, name: str) -> Iterator[str]:
    """What is drawn as shapes, in one path for all that look alike."""
    paths = defaultdict[_Look, list[str]](list)
    for look, path in chain(_boxes(cells), _marks(cells)):
        paths[look].append(path)
    for (classes, attributes), parts in paths.items():
        yield f'<path class="{name}{classes}"{attributes} d="{"".join(parts)}"/>'


def _boxes(cells: Cells) -> Iterator[tuple[_Look, str]]:
    """The boxes; those side by side become one."""
    found = defaultdict[_Look, list[list[float]]](list)
    for place, char in enumerate(cells.text, cells.start):
        for shape in shapes(char):
            if not isinstance(shape, Box):
                continue
            opacity = f' fill-opacity="{shape.opacity:g}"' if shape.opacity < 1 else ""
            boxes = found[" e" * _is_block(char), opacity]
            left, right = (place + shape.left) * WIDTH, (place + shape.right) * WIDTH
            edges = [shape.top * HEIGHT, shape.bottom * HEIGHT]
            if boxes and boxes[-1][1] >= left - 0.01 and boxes[-1][2:] == edges:
                boxes[-1][1] = right
            else:
                boxes.append([left, right, *edges])
    for look, boxes in found.items():
        for left, right, top, bottom in boxes:
            across, down = _(right - left), _(bottom - top)
            yield look, f"M{_(left)} {_(top)}h{across}v{down}h-{across}z"


def _is_block(char: str) -> bool:
    """Whether it fills a part of its cell to the edges, where it must meet its neighbors."""
    return "▀" <= char <= "▓"


def _marks(cells: Cells) -> Iterator[tuple[_Look, str]]:
    """The dots and polygons."""
    for place, char in enumerate(cells.text, cells.start):
        for shape in shapes(char):
            if isinstance(shape, Dot):
                yield _dot(shape, place)
            elif isinstance(shape, Polygon):
                corners = (f"{_((place + x) * WIDTH)} {_(y * HEIGHT)}" for x, y in shape.points)
                yield ("", ""), f"M{' '.join(corners)}z"


def _dot(dot: Dot, place: int) -> tuple[_Look, str]:
    """A ring; or a disk, whose shortest path is the round cap of a line without length."""
    x, y, radius = (place + dot.x) * WIDTH, dot.y * HEIGHT, dot.radius * WIDTH
    if not dot.ring:
        return (" d", f' stroke-width="{_(2 * radius)}"'), f"M{_(x)} {_(y)}h0"
    ring = dot.ring * WIDTH
    middle = radius - ring / 2
    half = f"a{_(middle)} {_(middle)} 0 1 0 "
    path = f"M{_(x - middle)} {_(y)}{half}{_(2 * middle)} 0{half}{_(-2 * middle)} 0z"
    return (" d r", f' stroke-width="{_(ring)}"'), path


def _texts(cells: Cells, name: str) -> Iterator[str]:
    """What is drawn as text: words apart from others by more than one space have their own x."""
    text = "".join(" " if shapes(char) else char for char in cells.text)
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
