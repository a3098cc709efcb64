"""The window around the screen: its title, and notifications, by sequences a terminal may take.

A terminal that does not know a sequence ignores it, except those of `PLAIN`, which print it.
"""

from collections.abc import Callable, Mapping

from tui.text.outside import printable

PLAIN = ("", "ansi", "dumb", "linux", "vt100", "vt102", "vt220")
"""Terminals without a window, or of a time before its title."""

LONGEST = 200
"""Characters of a title or a notification."""

_ONLY_777 = ("foot", "rxvt", "wezterm", "ghostty")
_ONLY_9 = ("iTerm.app", "kitty")
"""Terminals that know both kinds of notification would show two, and some only one kind."""

BELL, DESKTOP = "bell", "desktop"
"""How to say that a long job has ended."""

Write = Callable[[str], object]


class TerminalWindow:
    """Writes only what changed; gives the title back when it closes.

    Args:
        write: writes to the terminal.
        environment: the environment variables, which name the terminal.
    """

    def __init__(self, write: Write, environment: Mapping[str, str]) -> None:
        self._write, self._environment = write, environment
        self._title = ""
        self._saved = False

    def show_title(self, text: str) -> None:
        """Show a title; the terminal keeps the one before."""
        if text == self._title or self._environment.get("TERM", "") in PLAIN:
            return
        save = "" if self._saved else "\x1b[22;2t"
        self._write(f"{save}\x1b]2;{_line(text)}\x1b\\")
        self._title, self._saved = text, True

    def forget_title(self) -> None:
        """Write the title again next time: another program may have changed it."""
        self._title = ""

    def restore_title(self) -> None:
        """Give the window the title that it had."""
        if self._saved:
            self._write("\x1b]2;\x1b\\\x1b[23;2t")
        self._title, self._saved = "", False

    def notify(self, how: str, text: str) -> None:
        """Ring the bell, or show a desktop notification."""
        if how == BELL:
            self._write("\a")
        elif how == DESKTOP and self._environment.get("TERM", "") not in PLAIN:
            self._write(notification(text, self._environment))


def notification(text: str, environment: Mapping[str, str]) -> str:
    """The sequences for a desktop notification; tmux passes them on where it may."""
    line = _line(text)
    terminal = f"{environment.get('TERM', '')} {environment.get('TERM_PROGRAM', '')}".lower()
    parts = [f"\x1b]9;{line}\x1b\\", f"\x1b]777;notify;Featherweight;{line}\x1b\\"]
    if any(name in terminal for name in _ONLY_777):
        del parts[0]
    elif any(name.lower() in terminal for name in _ONLY_9):
        del parts[1]
    if "TMUX" not in environment:
        return "".join(parts)
    return "".join("\x1bPtmux;" + part.replace("\x1b", "\x1b\x1b") + "\x1b\\" for part in parts)


def _line(text: str) -> str:
    """A text as part of a sequence, whose parts semicolons separate."""
    shown = printable(text).replace(";", ",")
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
