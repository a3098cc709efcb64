"""What a terminal can show: by its name in TERM and the locale's encoding."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import InputError
from tui.looks.themes import ANSI_DARK, ANSI_LIGHT, DEFAULT

UNABLE = ("dumb", "unknown")
"""Terminals that cannot move their cursor, such as an editor's shell."""

_FEW_SIGNS = ("linux", "vt", "ansi", "cygwin")
"""How the names of terminals begin whose fonts have no braille and no parts of blocks."""

_ASCII = ("C", "POSIX")
"""Locales whose encoding is ASCII; Python writes UTF-8 there."""

_NO_COLORS = ("vt1", "vt2")
"""How the names of terminals begin that have no colors at all."""

_SYSTEMS = {"truecolor": 2**24, "256": 256}
"""The number of colors of Rich's systems that are not the terminal's own."""

_LIGHT_GROUND = frozenset({"7", "9", "10", "11", "12", "13", "14", "15"})
"""Numbers of background colors, as terminals put them into COLORFGBG, that are light."""


@dataclass(frozen=True)
class Look:
    """How the screen is drawn.

    Attributes:
        theme: the name of the theme at the start.
        ascii_only: write no box, block or other character beyond ASCII.
        colors: the number of colors of the terminal: 2**24, 256, 16, or 0 for none.
    """

    theme: str = DEFAULT
    ascii_only: bool = False
    colors: int = 2**24


def check_terminal(environment: Mapping[str, str]) -> None:
    """Raise InputError if the terminal cannot show the program."""
    if (name := environment.get("TERM", "")) in UNABLE:
        raise InputError(
            f"the terminal cannot show the program (TERM={name}): open it in a terminal window, "
            "or set TERM=xterm-256color if this one can move its cursor; "
            "`featherweight run --preset NAME` needs no screen"
        )


def look_of(
    environment: Mapping[str, str],
    *,
    encoding: str,
    color_system: str | None,
    theme: str | None,
    ascii_only: bool | None,
) -> Look:
    """The look that suits a terminal.

    Args:
        environment: the environment variables.
        encoding: of the text that the terminal takes.
        color_system: Rich's name for the colors of the terminal.
        theme: the name of a theme, if one is chosen.
        ascii_only: whether to write ASCII only, if that is chosen.
    """
    name = environment.get("TERM", "")
    colors = _SYSTEMS.get(color_system or "", 16) if not name.startswith(_NO_COLORS) else 0
    if ascii_only is None:
        unicode = encoding.lower().startswith("utf") and environment.get("LC_ALL") not in _ASCII
        ascii_only = not unicode or name.startswith(_FEW_SIGNS)
    return Look(theme or _suitable(environment, colors), ascii_only, colors)


def _suitable(environment: Mapping[str, str], colors: int) -> str:
    """Ours, if the terminal has its colors; otherwise its own, on its own background."""
    if colors >= 256:
        return DEFAULT
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return ANSI_LIGHT if ground in _LIGHT_GROUND else ANSI_DARK
