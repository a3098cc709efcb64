"""Characters that the encoding of a stream lacks: replaced, where Python would raise.

The command line writes readable ASCII, the app as many ASCII characters as there are cells.
"""

import codecs
import io
import unicodedata
from collections.abc import Callable
from typing import TextIO

_ASCII = {
    "→": "->",
    "←": "<-",
    "±": "+/-",
    "×": "x",
    "–": "-",
    "—": "-",
    "…": "...",
    "·": "|",
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
}

_CELLS = str.maketrans("→←↑↓±×–…·∞─━╌▶▸▾▪▫●○◉◎■◆✗│┃┊", "><^v~x-~.8--->>v*o*o*o##x|||")
"""For some characters of the app, an ASCII character of the same meaning."""


def readable(char: str) -> str:
    r"""A character in ASCII; an escape such as \u5c64 if we do not write it ourselves."""
    return _ASCII.get(char) or char.encode("ascii", "backslashreplace").decode()


def cells(char: str) -> str:
    """A character in as much ASCII as it has cells."""
    known = char.translate(_CELLS)
    if known.isascii():
        return known
    if "\u2500" <= char <= "\u259f":  # parts of boxes, and blocks
        return "+" if char <= "\u257f" else "#"
    if "\u2800" <= char <= "\u28ff":  # braille
        return "." if char > "\u2800" else " "
    if unicodedata.category(char).startswith("M"):
        return ""
    return "??" if unicodedata.east_asian_width(char) in "WF" else "?"


def replace_missing(stream: TextIO | None, by: Callable[[str], str] = readable) -> None:
    """Let a stream write every text; `by` replaces each character its encoding lacks."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_name(by))


def in_encoding(text: str, encoding: str) -> str:
    """A text as a stream of this encoding will show it, so that columns stay aligned."""
    if text.isascii() or encoding.lower().startswith("utf"):
        return text
    return text.encode(encoding, _name(readable)).decode(encoding)


def _name(replace: Callable[[str], str]) -> str:
    return f"featherweight.{replace.__name__}"


def _register(replace: Callable[[str], str]) -> None:
    """Make it known to Python's codecs."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        return "".join(map(replace, error.object[error.start : error.end])), error.end

    codecs.register_error(_name(replace), handle)


_register(readable)
_register(cells)
