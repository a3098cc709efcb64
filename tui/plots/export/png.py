"""A plot as a PNG file, drawn by Pillow."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tui.plots.export.glyphs import Box, Dot, Shape, shapes
from tui.plots.export.picture import Color, Picture, Run, mixed

_WIDTH, _HEIGHT, _LETTERS = 14, 28, 22
_FONTS = ("DejaVuSansMono.ttf", "Menlo.ttc", "consola.ttf", "LiberationMono-Regular.ttf")
"""Fonts of equally wide letters; the first one there is used, or else Pillow's own."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def write_png(path: Path, picture: Picture) -> None:
    """Write the picture to a file."""
    columns, rows = picture.size
    size = (columns + 2) * _WIDTH, (rows + 1) * _HEIGHT
    image = Image.new("RGB", size, picture.back)
    canvas, font = ImageDraw.Draw(image), _font()
    for run in picture.runs():
        _draw(canvas, font, run, picture.back)
    image.save(path, format="PNG")


def _font() -> Font:
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, _LETTERS)
        except OSError:
            continue
    return ImageFont.load_default(_LETTERS)


def _draw(canvas: ImageDraw.ImageDraw, font: Font, run: Run, back: Color) -> None:
    left, top = _WIDTH * (run.column + 1), _HEIGHT * run.row + _HEIGHT // 2
    if run.style.back is not None:
        back = run.style.back
        right = left + _WIDTH * len(run.text) - 1
        canvas.rectangle((left, top, right, top + _HEIGHT - 1), fill=back)
    for at, char in enumerate(run.text):
        x, drawn = left + at * _WIDTH, shapes(char)
        for shape in drawn:
            _draw_shape(canvas, shape, x, top, run.style.fore, back)
        if not drawn and char != " ":
            # Around its middle: Pillow's own font has letters of different widths.
            place = x + _WIDTH / 2, top + 0.78 * _HEIGHT
            canvas.text(place, char, fill=run.style.fore, font=font, anchor="ms")


def _draw_shape(
    canvas: ImageDraw.ImageDraw, shape: Shape, x: float, y: float, fore: Color, back: Color
) -> None:
    if isinstance(shape, Box):
        corners = (
            x + shape.left * _WIDTH,
            y + shape.top * _HEIGHT,
            x + shape.right * _WIDTH - 1,
            y + shape.bottom * _HEIGHT - 1,
        )
        canvas.rectangle(corners, fill=mixed(back, fore, shape.opacity))
    elif isinstance(shape, Dot):
        center, radius = (x + shape.x * _WIDTH, y + shape.y * _HEIGHT), shape.radius * _WIDTH
        around = (
            center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius
        )  # fmt: skip
        if shape.ring:
            canvas.ellipse(around, outline=fore, width=max(1, round(shape.ring * _WIDTH)))
        else:
            canvas.ellipse(around, fill=fore)
    else:
        points = [(x + px * _WIDTH, y + py * _HEIGHT) for px, py in shape.points]
        canvas.polygon(points, fill=fore)
