"""TOML text: read and parse a file, find the line of a key, write keys and values."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError, shortened

MAX_BYTES = 1_000_000
"""Largest file; a net with ten thousand layers needs half of it."""

_MAX_SEARCHED = 2 * MAX_BYTES  # characters parsed again to find a line: a few seconds at most


def read_text(path: Path) -> str:
    """Read a file; raises InputError if it cannot be read, is too large or is not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is too large: expected at most {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path} line {line}: not UTF-8; save it as UTF-8") from error


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """Parse TOML; raises InputError with tomllib's message if it is invalid."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also raised for a number with thousands of digits
        message = str(error)
    if message.startswith("Cannot "):
        message += "; give each key and each table once, with quotes around names with dots"
    if message.startswith("Invalid value"):
        message += '; expected "text" in quotes, a number such as 0.5, true or false'
    raise InputError(printable(f"{path}: {message}"))


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line of the statement in valid TOML that first sets `keys`.

    A statement ends with the first line that makes it valid TOML. None if `keys` are missing or
    the search would take too long.
    """
    header, statement, start, left = "", "", 1, _MAX_SEARCHED
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
        if _has(table, keys):
            return start
        if is_header:
            header = statement
        statement, start = "", number + 1
    return None


def _has(table: Any, keys: Sequence[str]) -> bool:
    if not keys:
        return True
    return isinstance(table, dict) and keys[0] in table and _has(table[keys[0]], keys[1:])


def toml_key(name: str) -> str:
    """A name as a TOML key, in quotes if it needs them."""
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _string(name)


def toml_value(value: str | bool | int | float | tuple[float, ...]) -> str:
    """A value as TOML; floats are exact."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        return _string(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def abbreviated(value: Any) -> str:
    """A value as short TOML, for a message."""
    if isinstance(value, (dict, list)):
        return "{...}" if isinstance(value, dict) else "[...]"
    if isinstance(value, int) and value.bit_length() > 64:
        return "..."
    return shortened(toml_value(value) if isinstance(value, (str, int, float)) else str(value))


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def printable(text: str) -> str:
    r"""Text with invisible characters and line breaks as TOML escapes such as \u000a."""
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
