"""Text from outside: names in files, messages of a user's net and of servers, paths, notes.

It is shown, never obeyed. What prints on the command line (`tui.cli.console`, `tui.cli.streams`) or
draws in the app (`tui.system.error_boundary`) passes all its text through `printable`.
"""

_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian, Indian scripts and emoji are written."""


class _Shown(dict[int, str]):
    """What stands for each code point; worked out when it first appears."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        is_shown = char.isprintable() or char in _JOINERS
        self[code] = shown = char if is_shown else " " if char.isspace() else "?"
        return shown


_SHOWN = _Shown()


def printable(text: str) -> str:
    r"""Replace characters that move the cursor, break the line or reorder text; keeps the length.

    White space becomes a space. Controls, the start of every escape sequence among them, bidi
    overrides, surrogates and unassigned characters become question marks.

    Examples:
        >>> printable("\x1b]0;title\x07層\n[/red]\u202e")
        '?]0;title?層 [/red]?'
    """
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)
