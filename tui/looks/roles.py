"""The color of each role of text: one meaning each, in every theme.

Dense is amber, pruned rose, fine-tuned green, validation blue, kept weights cyan, removed weights
gray, warnings yellow, errors red; violet is what is selected or planned. The colors are of the
xterm palette, so that 256 colors show them exactly. They differ for people who confuse red and
green, and never carry a meaning alone: a marker or a label does, too.
"""

from collections.abc import Iterator, Mapping

from textual.color import BLACK, WHITE, Color
from textual.theme import Theme

LEAST_CONTRAST = 4.5
"""The contrast of text that WCAG 2 asks for (success criterion 1.4.3)."""

DARK = {
    "dense": "#d78700",
    "pruned": "#ff5faf",
    "finetuned": "#87d75f",
    "validation": "#5f87ff",
    "kept": "#5fd7d7",
    "removed": "#8a8a8a",
    "warning": "#ffff87",
    "error": "#ff5f5f",
    "accent": "#d7afff",
    "other": "#d7d7af",
    "muted": "#9e9e9e",
    "bar": "#8787af",
    "frame": "#585858",
    "frame-focused": "#af87ff",
}
LIGHT = {
    "dense": "#af5f00",
    "pruned": "#d700af",
    "finetuned": "#005f00",
    "validation": "#005fff",
    "kept": "#005f87",
    "removed": "#767676",
    "warning": "#5f5f00",
    "error": "#af0000",
    "accent": "#5f00af",
    "other": "#5f5f5f",
    "muted": "#626262",
    "bar": "#5f5f87",
    "frame": "#b2b2b2",
    "frame-focused": "#875fd7",
}
ANSI_DARK = {
    "dense": "ansi_yellow",
    "pruned": "ansi_magenta",
    "finetuned": "ansi_green",
    "validation": "ansi_bright_blue",
    "kept": "ansi_cyan",
    "removed": "ansi_default",
    "warning": "ansi_bright_yellow",
    "error": "ansi_bright_red",
    "accent": "ansi_default",
    "other": "ansi_default",
    "muted": "ansi_default",
    "bar": "ansi_default",
    "frame": "ansi_default",
    "frame-focused": "ansi_default",
}
ANSI_LIGHT = {
    **ANSI_DARK,
    "validation": "ansi_blue",
    "warning": "ansi_yellow",
    "error": "ansi_red",
}  # bright colors are faint on white

HEAT_DARK = {
    "low": ("#005f5f", "#ffffff"),
    "over": ("#d7af00", "#000000"),
    "far": ("#af0000", "#ffffff"),
}
HEAT_LIGHT = {
    "low": ("#afd7d7", "#000000"),
    "over": ("#ffd700", "#000000"),
    "far": ("#af0000", "#ffffff"),
}
"""Background and text of drops in accuracy: tolerated, not tolerated, large."""


def role_variables(theme: Theme) -> dict[str, str]:
    """The variables of tui/colors.tcss for a theme: `role-dense` and so on.

    The colors are the same in all dark and in all light themes, as they have a meaning. Where a
    theme's background is near one, the color gives way.
    """
    heat = HEAT_DARK if theme.dark else HEAT_LIGHT
    variables = {f"heat-{level}": back for level, (back, _) in heat.items()}
    variables |= {f"heat-{level}-text": text for level, (_, text) in heat.items()}
    return {f"role-{name}": color for name, color in _colors(theme)} | variables


def _colors(theme: Theme) -> Iterator[tuple[str, str]]:
    if theme.ansi:
        yield from (ANSI_DARK if theme.dark else ANSI_LIGHT).items()
        return
    generated: Mapping[str, str] = theme.to_color_system().generate()
    grounds = [Color.parse(generated[name]) for name in ("background", "panel")]
    far = WHITE if theme.dark else BLACK
    for name, color in (DARK if theme.dark else LIGHT).items():
        faint = name.startswith("frame")  # frames are no text
        yield name, color if faint else _legible(Color.parse(color), grounds, far).hex


def _legible(color: Color, grounds: list[Color], far: Color) -> Color:
    """The color, nearer to the far end as its contrast with a background asks."""
    steps = (color.blend(far, step / 10) for step in range(10))
    fitting = (one for one in steps if all(_contrast(one, g) >= LEAST_CONTRAST for g in grounds))
    return next(fitting, far)


def _contrast(one: Color, other: Color) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Color) -> float:
    """The relative luminance of WCAG 2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
