"""The colors of roles in the theme, for pictures of plots in files."""

from collections.abc import Iterable

from rich.color import Color as RichColor
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from tui.plots.export.picture import CellStyle, Color, mixed
from tui.widgets.lines import RoleApp


def styles_of(app: RoleApp, roles: Iterable[str]) -> tuple[dict[str, CellStyle], Color]:
    """How roles look, and the background."""
    colors, plain = app.ansi_theme, app.role_style("plain")
    back = _color(plain.bgcolor, colors, foreground=False)
    return {role: _style_of(app.role_style(role), back, colors) for role in roles}, back


def _style_of(style: Style, back: Color, colors: TerminalTheme) -> CellStyle:
    fore, own = (
        _color(style.color, colors, foreground=True),
        _color(style.bgcolor, colors, foreground=False) if style.bgcolor else back,
    )
    if style.reverse:
        fore, own = own, fore
    if style.dim:
        fore = mixed(fore, own, 0.5)
    return CellStyle(fore, None if own == back else own, bool(style.bold))


def _color(color: RichColor | None, colors: TerminalTheme, foreground: bool) -> Color:
    """A color as it looks; a terminal's own as in Textual's theme of such colors."""
    shown = color or RichColor.default()
    red, green, blue = shown.get_truecolor(colors, foreground=foreground)
    return red, green, blue
