"""TOML as text: a file read and parsed, the line of a key, names and values as it writes them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError

MOST_BYTES = 1_000_000
"""Of a file; a net with ten thousand layers needs half of it."""

_SEARCHED = 2 * MOST_BYTES  # characters read again to find a line, some seconds at most


def read_text(path: Path) -> str:
    """A file as text; raises InputError where it cannot be read, is too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except IsADirectoryError as error:
        raise InputError(f"cannot read {path}: it is a folder; expected a file") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{path}: expected at most {MOST_BYTES:,} bytes of TOML")
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path} line {line}: not UTF-8; save it as UTF-8") from error


def parsed(path: Path, text: str) -> dict[str, Any]:
    """The table that a text holds; raises InputError in tomllib's words where it is not TOML."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of a number with thousands of digits
        said = str(error)
    if said.startswith("Cannot "):
        said += "; give each key and each table once"
    if said.startswith("Invalid value"):
        said += '; expected "text" in quotes, a number such as 0.5, true or false'
    raise InputError(printable(f"{path}: {said}"))


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line of a valid TOML text where the statement stands that first gives `keys`.

    The text is taken statement by statement: a statement ends with the first line that makes it
    valid TOML. None where `keys` are not there, or where looking on would take too long.
    """
    header, statement, start, left = "", "", 1, _SEARCHED
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        statement += f"{line}\n"
        is_header = statement.lstrip().startswith("[")
        read = statement if is_header else header + statement
        left -= len(read)
        if left < 0:
            return None
        try:
            table = tomllib.loads(read)
        except ValueError:
            continue
        if _leads(table, keys):
            return start
        if is_header:
            header = statement
        statement, start = "", number + 1
    return None


def _leads(table: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True


def key(name: str) -> str:
    """A name as a key, in quotes where it needs them."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else quoted(name)


def written(value: str | bool | int | float | tuple[float, ...]) -> str:
    """A value as TOML has it; a float comes back as it was."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str):
        return quoted(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def shown(value: Any) -> str:
    """A value in a message, as TOML has it, and short."""
    if isinstance(value, (dict, list)):
        return "{...}" if isinstance(value, dict) else "[...]"
    if isinstance(value, int) and value.bit_length() > 64:
        return "..."
    return shortened(written(value) if isinstance(value, (str, int, float)) else str(value))


def shortened(text: str) -> str:
    """A text that a message has room for."""
    return text if len(text) <= 60 else f"{text[:57]}..."


def quoted(text: str) -> str:
    """A text as a basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def printable(text: str) -> str:
    r"""The text with \u000a for what would break a line or could not be seen, as TOML has it."""
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
