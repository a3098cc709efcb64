"""Colors as people see them who lack one kind of cones, and how far apart they are."""

from __future__ import annotations

from textual.color import Color, rgb_to_lab

VISIONS = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""What each vision makes of linear red, green and blue (Machado et al. 2009, severity 1)."""


def seen(color: str, vision: str) -> Color:
    """A color as a vision sees it."""
    linear = [_linear(part) for part in Color.parse(color).normalized]
    parts = (sum(m * part for m, part in zip(row, linear, strict=True)) for row in VISIONS[vision])
    return Color(*(round(255 * _encoded(min(1.0, max(0.0, part)))) for part in parts))


def difference(one: str, other: str, vision: str) -> float:
    """The distance of two colors in CIELAB."""
    first, second = (rgb_to_lab(seen(color, vision)) for color in (one, other))
    parts = zip((first.L, first.a, first.b), (second.L, second.a, second.b), strict=True)
    return float(sum((a - b) ** 2 for a, b in parts) ** 0.5)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    red, green, blue = (_linear(part) for part in Color.parse(color).normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
