"""Our two themes, dark and light, and the names of all themes.

Every color is of the xterm palette, backgrounds and dialogs included, and none is mixed: terminals
with 256 colors, such as most over SSH, show what terminals with true color show.
"""

from textual.theme import BUILTIN_THEMES, Theme

from core.errors import InputError

DEFAULT = "featherweight-dark"
ANSI_DARK, ANSI_LIGHT = "ansi-dark", "ansi-light"

_DARK = Theme(
    name=DEFAULT,
    primary="#af87ff",
    secondary="#8787af",
    accent="#d7afff",
    warning="#ffff87",
    error="#ff5f5f",
    success="#87d75f",
    foreground="#d0d0d0",
    background="#121212",
    surface="#303030",
    panel="#1c1c1c",
    boost="#262626",
    variables={
        "text": "#d0d0d0",
        "text-muted": "#9e9e9e",
        "text-disabled": "#767676",
        "text-primary": "#d7afff",
        "text-secondary": "#8787af",
        "text-accent": "#d7afff",
        "text-warning": "#ffff87",
        "text-error": "#ff5f5f",
        "text-success": "#87d75f",
        "foreground-muted": "#9e9e9e",
        "foreground-disabled": "#767676",
        "primary-muted": "#303030",
        "secondary-muted": "#303030",
        "border": "#af87ff",
        "border-blurred": "#585858",
        "block-cursor-foreground": "#121212",
        "block-cursor-background": "#d7afff",
        "block-cursor-blurred-foreground": "#d0d0d0",
        "block-cursor-blurred-background": "#444444",
        "block-hover-background": "#303030",
        "surface-active": "#3a3a3a",
        "scrollbar": "#585858",
        "scrollbar-hover": "#767676",
        "scrollbar-active": "#af87ff",
        "scrollbar-background": "#262626",
        "scrollbar-background-hover": "#262626",
        "scrollbar-background-active": "#262626",
        "scrollbar-corner-color": "#262626",
        "footer-background": "#1c1c1c",
        "footer-foreground": "#d0d0d0",
        "footer-key-foreground": "#d7afff",
        "input-cursor-background": "#d0d0d0",
        "input-cursor-foreground": "#121212",
        "input-selection-background": "#5f5f87",
        "link-background-hover": "#5f5f87",
    },
)
_LIGHT = Theme(
    name="featherweight-light",
    dark=False,
    primary="#875fd7",
    secondary="#5f5f87",
    accent="#5f00af",
    warning="#5f5f00",
    error="#af0000",
    success="#005f00",
    foreground="#262626",
    background="#ffffff",
    surface="#e4e4e4",
    panel="#ffffff",
    boost="#eeeeee",
    variables={
        "text": "#262626",
        "text-muted": "#626262",
        "text-disabled": "#8a8a8a",
        "text-primary": "#5f00af",
        "text-secondary": "#5f5f87",
        "text-accent": "#5f00af",
        "text-warning": "#5f5f00",
        "text-error": "#af0000",
        "text-success": "#005f00",
        "foreground-muted": "#626262",
        "foreground-disabled": "#8a8a8a",
        "primary-muted": "#d0d0d0",
        "secondary-muted": "#d0d0d0",
        "border": "#875fd7",
        "border-blurred": "#b2b2b2",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#5f00af",
        "block-cursor-blurred-foreground": "#262626",
        "block-cursor-blurred-background": "#d0d0d0",
        "block-hover-background": "#e4e4e4",
        "surface-active": "#dadada",
        "scrollbar": "#b2b2b2",
        "scrollbar-hover": "#8a8a8a",
        "scrollbar-active": "#875fd7",
        "scrollbar-background": "#e4e4e4",
        "scrollbar-background-hover": "#e4e4e4",
        "scrollbar-background-active": "#e4e4e4",
        "scrollbar-corner-color": "#e4e4e4",
        "footer-background": "#eeeeee",
        "footer-foreground": "#262626",
        "footer-key-foreground": "#5f00af",
        "input-cursor-background": "#262626",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#d7afff",
        "link-background-hover": "#d7afff",
    },
)
OWN = {theme.name: theme for theme in (_DARK, _LIGHT)}
THEMES = {**OWN, **BUILTIN_THEMES}
"""All themes by name, ours first."""


def check_theme(name: str) -> None:
    """Raise InputError if there is no such theme."""
    if name not in THEMES:
        names = ", ".join((*OWN, *sorted(BUILTIN_THEMES)))
        raise InputError(f"unknown theme '{name}': expected one of {names}")
