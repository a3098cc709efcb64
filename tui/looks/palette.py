"""The xterm palette: the colors that all terminals with 256 colors share.

Rich, which Textual writes with, rounds red, green and blue each for itself and takes one gray for
another: blue-gray backgrounds turn teal. Here a color becomes the one that looks most like it.
"""

from functools import lru_cache
from itertools import product

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.color import rgb_to_lab
from textual.filter import LineFilter

_LEVELS = (0, 95, 135, 175, 215, 255)
_GRAYS = range(8, 248, 10)

PALETTE = {
    ColorTriplet(*parts): number
    for number, parts in enumerate(
        (*product(_LEVELS, repeat=3), *((gray,) * 3 for gray in _GRAYS)), start=16
    )
}
"""The numbers of the colors that no terminal replaces by its own, as it does the first 16."""


class PaletteColors(LineFilter):
    """Writes colors by their numbers in the palette.

    Args:
        nearest: replace each color that is not of the palette by the nearest; otherwise it stays.
            With true colors a number is only shorter to write.
    """

    def __init__(self, nearest: bool) -> None:
        super().__init__()
        self._in_palette = in_palette if nearest else _numbered_if_exact

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """The segments in the palette's colors."""
        numbered = self._in_palette
        return [
            Segment(text, style and numbered(style), control) for text, style, control in segments
        ]


@lru_cache(maxsize=4096)
def in_palette(style: Style) -> Style:
    """A style whose colors are of the palette."""
    front, back = style.color, style.bgcolor
    if not any(color and color.type == ColorType.TRUECOLOR for color in (front, back)):
        return style
    return style + Style(color=front and _numbered(front), bgcolor=back and _numbered(back))


@lru_cache(maxsize=4096)
def _numbered_if_exact(style: Style) -> Style:
    exact = all(
        color is None or color.type != ColorType.TRUECOLOR or color.triplet in PALETTE
        for color in (style.color, style.bgcolor)
    )
    return in_palette(style) if exact else style


@lru_cache(maxsize=4096)
def nearest(triplet: ColorTriplet) -> int:
    """The number of the color of the palette that looks most like another."""
    if (exact := PALETTE.get(triplet)) is not None:
        return exact
    wanted = _lab(triplet)

    def distance(place: ColorTriplet) -> float:
        return sum((one - other) ** 2 for one, other in zip(wanted, _lab(place), strict=True))

    return PALETTE[min(PALETTE, key=distance)]


def _numbered(color: Color) -> Color:
    if color.type != ColorType.TRUECOLOR or color.triplet is None:
        return color
    return Color.from_ansi(nearest(color.triplet))


@lru_cache(maxsize=4096)
def _lab(triplet: ColorTriplet) -> tuple[float, float, float]:
    lab = rgb_to_lab(TextualColor(*triplet))
    return lab.L, lab.a, lab.b
