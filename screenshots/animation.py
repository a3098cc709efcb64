"""From frames to an animated SVG: each row is a strip of everything it shows, moved by CSS."""

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


def animated(frames: Sequence[Frame], columns: int, title: str) -> str:
    """The SVG."""
    rows = len(frames[0].rows)
    strips = [[frame.rows[y] for frame in frames] for y in range(rows)]
    total = sum(frame.seconds for frame in frames)
    begins = [0.0, *accumulate(frame.seconds for frame in frames)]
    shares = [100 * at / total for at in begins[:-1]]
    sheet = _Sheet()
    drawn = [_strip(y, strip, shares, columns, sheet) for y, strip in enumerate(strips)]
    width, height = columns * WIDTH, rows * HEIGHT
    style = (
        f".s{{animation:{total:.1f}s step-end infinite}}"
        f"text{{white-space:pre;font:{FONT}px {FONTS};fill:#{FRONT}}}"
        "path{shape-rendering:crispEdges}.b{font-weight:bold}"
        + "".join(rules for _, rules in drawn)
        + sheet.rules
    )
    box = f"0 0 {width + 2 * MARGIN} {height + 2 * MARGIN}"
    body = "".join(shapes for shapes, _ in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#{BACK}"/>'
        f'<svg x="{MARGIN}" y="{MARGIN}" width="{width}" height="{height}">{body}</svg></svg>\n'
    )


class _Sheet:
    """Short class names for colors."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, color: str) -> str:
        """The class of a color."""
        return self._names.setdefault(color, f"c{len(self._names)}")

    @property
    def rules(self) -> str:
        """The rules of all classes."""
        return "".join(f".{name}{{fill:#{color}!important}}" for color, name in self._names.items())


def _strip(
    y: int, shown: Sequence[Row], shares: Sequence[float], columns: int, sheet: _Sheet
) -> tuple[str, str]:
    """The shapes of a row's strip, and the rules that move it."""
    known: dict[Row, int] = {}
    places = [known.setdefault(row, len(known)) for row in shown]
    step = columns * WIDTH
    shapes = "".join(
        f'<g transform="translate({index * step})">{"".join(_shapes(row, sheet))}</g>'
        for row, index in known.items()
    )
    if len(known) == 1:
        return f'<g transform="translate(0 {y * HEIGHT})">{shapes}</g>', ""
    moves = "".join(
        f"{share:.2f}%{{transform:translateX({-place * step}px)}}"
        for number, (share, place) in enumerate(zip(shares, places, strict=True))
        if not number or place != places[number - 1]
    )
    group = f'<g class="s" style="animation-name:r{y}">{shapes}</g>'
    return f'<g transform="translate(0 {y * HEIGHT})">{group}</g>', f"@keyframes r{y}{{{moves}}}"


def _shapes(row: Row, sheet: _Sheet) -> Iterator[str]:
    """The backgrounds, boxes and texts of a row."""
    for cells in row:
        x, (front, back) = cells.start * WIDTH, cells.colors
        if back and back != BACK:
            name = sheet.name(back)
            yield f'<path class="e {name}" d="M{x} 0h{len(cells.text) * WIDTH}v{HEIGHT}H{x}z"/>'
        name = sheet.name(front or FRONT)
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
