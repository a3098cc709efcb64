"""A builder's arguments as text, `num_classes=10,weights=DEFAULT`: literals, never code."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import InputError
from core.fields.kinds import Kind

ModelArgs = Mapping[str, Any]
"""Arguments by name: numbers, True, False, None, text, or lists of these."""

EXPECTED = "NAME=VALUE,... with numbers, True, False, None, text or lists such as [3,4]"

_LONGEST = 2_000
"""Limit in characters."""

_WORDS = {"true": True, "false": False, "none": None, "null": None}
"""Read in any case: as text, `false` would be true in Python."""

_PLAIN = re.compile(r"(?![\d+-])[\w./~:@+-]+")
"""Text that needs no quotes."""


def parse_model_args(text: str) -> dict[str, Any]:
    """Arguments from text; raises InputError if it is malformed."""
    if len(text) > _LONGEST:
        raise InputError(f"longer than {_LONGEST:,} characters: expected {EXPECTED}")
    args: dict[str, Any] = {}
    try:
        for part in _parts(text):
            name, equals, value = map(str.strip, part.partition("="))
            if not equals or not name.isidentifier():
                raise InputError(f"{_quoted(part.strip())}: expected {EXPECTED}")
            if name in args:
                raise InputError(f"'{name}' is given twice: give it once")
            args[name] = _value(value)
    except RecursionError as error:
        raise InputError(f"nested too deeply: expected {EXPECTED}") from error
    return args


def format_model_args(args: ModelArgs) -> str:
    """The text of arguments, ordered by name."""
    return ",".join(f"{name}={_shown(args[name])}" for name in sorted(args))


def has_text(value: Any) -> bool:
    """Whether a value is text, or a list that holds some."""
    return any(map(has_text, value)) if isinstance(value, list) else isinstance(value, str)


def _canonical(text: str) -> str:
    return format_model_args(parse_model_args(text))


MODEL_ARGS = Kind(
    values="",
    expected=EXPECTED,
    metavar="NAME=VALUE,...",
    accepts=lambda value: isinstance(value, str),
    from_text=str,
    stored=_canonical,
)
"""Stored as text, equal for equal arguments."""


def _parts(text: str) -> Iterator[str]:
    """The parts between commas that are neither in brackets nor in quotes."""
    start = depth = 0
    quote = ""
    escaped = False
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote and not escaped else quote
            escaped = char == "\\" and not escaped
        elif char in "'\"":
            quote = char
        elif char == "," and not depth:
            yield text[start:index]
            start = index + 1
        else:
            depth += (char in "[(") - (char in "])")
    if text[start:].strip() or start:
        yield text[start:]


def _value(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if text[:1] + text[-1:] in ("[]", "()"):
        return [_value(part.strip()) for part in _parts(text[1:-1])]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError):
        value = text if _PLAIN.fullmatch(text) else ...
    is_finite = not isinstance(value, float) or math.isfinite(value)
    if type(value) not in (int, float, str) or not is_finite:
        raise InputError(f"{_quoted(text)}: expected {EXPECTED}; put other text in quotes")
    return value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_shown, value))}]"
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        return repr(value)
    try:
        is_text = _value(value) == value
    except InputError:  # '...'
        is_text = False
    return value if is_text else repr(value)


def _quoted(text: str) -> str:
    return f"'{text if len(text) <= 60 else f'{text[:57]}...'}'"
