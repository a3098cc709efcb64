"""Characters that the encoding of a stream lacks: replaced, where Python would raise.

The command line writes readable ASCII, the app as many ASCII characters as there are cells.
"""

import codecs
import io
from collections.abc import Callable
from typing import TextIO

from tui.text.glyphs import ascii_cells

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


def readable(char: str) -> str:
    r"""A character in ASCII; an escape such as \u5c64 if we do not write it ourselves."""
    return _ASCII.get(char) or char.encode("ascii", "backslashreplace").decode()


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
_register(ascii_cells)
