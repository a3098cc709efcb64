"""A plot as an SVG file that needs nothing but a font for its letters."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from tui.plots.export.glyphs import Box, Dot, Shape, shapes
from tui.plots.export.picture import Color, Picture, Run

_WIDTH, _HEIGHT = 9, 18
_FONT = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


def svg(picture: Picture) -> str:
    """The picture as the text of an SVG file."""
    columns, rows = picture.size
    width, height = (columns + 2) * _WIDTH, (rows + 1) * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="{_FONT}" font-size="14">',
        f'<rect width="{width}" height="{height}" fill="{_hex(picture.back)}"/>',
        f'<g transform="translate({_WIDTH} {_HEIGHT / 2:g})">',
    ]
    for run in picture.runs():
        parts += _draw(run)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _draw(run: Run) -> Iterator[str]:
    x, y = run.column * _WIDTH, run.row * _HEIGHT
    if run.style.back is not None:
        fill, width = _hex(run.style.back), len(run.text) * _WIDTH
        yield f'<rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" fill="{fill}"/>'
    fill, word, start = _hex(run.style.fore), "", 0
    for at, char in enumerate(f"{run.text} "):
        drawn = shapes(char)
        if not drawn and char != " ":
            start, word = (start if word else at), word + char
            continue
        if word:
            yield _text(word, x + start * _WIDTH, y, fill, run.style.bold)
            word = ""
        for shape in drawn:
            yield _shape(shape, x + at * _WIDTH, y, fill)


def _text(word: str, x: float, y: float, fill: str, bold: bool) -> str:
    weight = ' font-weight="bold"' if bold else ""
    length = f'textLength="{len(word) * _WIDTH}" lengthAdjust="spacingAndGlyphs"'
    place = f'x="{x}" y="{y + 0.76 * _HEIGHT:g}"'
    return f'<text {place} {length} fill="{fill}"{weight}>{escape(word)}</text>'


def _shape(shape: Shape, x: float, y: float, fill: str) -> str:
    if isinstance(shape, Box):
        left, top = x + shape.left * _WIDTH, y + shape.top * _HEIGHT
        width, height = (shape.right - shape.left) * _WIDTH, (shape.bottom - shape.top) * _HEIGHT
        opacity = f' fill-opacity="{shape.opacity:g}"' if shape.opacity < 1 else ""
        return (
            f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" '
            f'fill="{fill}"{opacity}/>'
        )
    if isinstance(shape, Dot):
        place = f'cx="{x + shape.x * _WIDTH:g}" cy="{y + shape.y * _HEIGHT:g}"'
        if shape.ring:
            radius, ring = (shape.radius - shape.ring / 2) * _WIDTH, shape.ring * _WIDTH
            stroke = f'fill="none" stroke="{fill}" stroke-width="{ring:g}"'
            return f'<circle {place} r="{radius:g}" {stroke}/>'
        return f'<circle {place} r="{shape.radius * _WIDTH:g}" fill="{fill}"/>'
    points = " ".join(f"{x + px * _WIDTH:g},{y + py * _HEIGHT:g}" for px, py in shape.points)
    return f'<polygon points="{points}" fill="{fill}"/>'


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
