"""Dataclasses from untrusted JSON and back; type hints declare what is expected.

Hints may be str, int, float, bool, datetime, Literal, dataclasses, `X | None`, `tuple[X, ...]`,
`Mapping[str, X]` and `Mapping[str, Any]`; `Annotated[X, Limits(...)]` narrows X and all inside it.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from reprlib import repr as short
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from core.errors import InputError
from core.system.untrusted_json import FaultError

T = TypeVar("T")

LONGEST_TEXT, LONGEST_FAULT = 4_096, 400
"""Limits in characters."""

_Read = Callable[[object, list[str]], Any]
"""Reads one value; adds faults inside it to the list, raises FaultError if it is unusable."""

_FAILED = object()

_WORDS = {
    int: "a whole number",
    float: "a number",
    str: f"text of at most {LONGEST_TEXT:,} characters",
    bool: "true or false",
    datetime: "a time such as 2026-11-20T09:07:00Z",
    tuple: "a list",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a value within its type.

    Attributes:
        low, high: the least and the greatest number.
        rows: items in a list; those beyond are dropped.
        whole: one fault or unknown key makes the whole object a fault.
    """

    low: float = -sys.float_info.max
    high: float = sys.float_info.max
    rows: int = 100_000
    whole: bool = False


def from_plain(cls: type[T], data: object) -> tuple[T | None, tuple[str, ...]]:
    """Build an object from plain JSON types, dropping what is damaged.

    A missing key takes the field's default. A value that does not fit becomes None if the field may
    be None, otherwise the field's default; without either, the object that holds it is dropped.
    Unknown keys are ignored.

    Returns:
        The object, None if it cannot be built; and the faults, such as
        `layers[2].sparsity: found 'x', expected a number from 0 to 1`.
    """
    faults: list[str] = []
    reader: Any = cls
    value = _noted(_reader(reader, Limits()), data, faults, "")
    return None if value is _FAILED else value, tuple(map(_line, faults))


def _line(fault: str) -> str:
    """A fault on one printable line, whatever keys it names."""
    text = "".join(char if char.isprintable() else "?" for char in fault[:LONGEST_FAULT])
    return text.removeprefix(".").removeprefix(": ")


def to_plain(value: Any) -> Any:
    """The same in plain JSON types, without fields that hold their default or are not stored."""
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case Mapping():
            return {key: to_plain(item) for key, item in value.items()}
        case tuple() | list():
            return [to_plain(item) for item in value]
        case _ if is_dataclass(value):
            items = ((field, getattr(value, field.name)) for field in _stored(value))
            return {field.name: to_plain(item) for field, item in items if item != field.default}
        case _:
            return value


def _stored(owner: Any) -> tuple[Field[Any], ...]:
    """The fields of a dataclass that JSON holds: all but those with `stored` False."""
    return tuple(field for field in fields(owner) if field.metadata.get("stored", True))


@cache
def _reader(hint: Any, limits: Limits) -> _Read:
    args, origin = get_args(hint), get_origin(hint)
    if origin is Annotated:
        return _reader(args[0], args[1])
    if origin in (Union, UnionType):
        inner = _reader(args[0], limits)
        return lambda value, faults: None if value is None else inner(value, faults)
    if origin is tuple:
        return _rows(_reader(args[0], limits), limits)
    if origin is Mapping:
        return _mapping(_reader(args[1], limits))
    if is_dataclass(hint):
        return _object(hint, limits)
    return _leaf(hint, limits)


def _leaf(hint: Any, limits: Limits) -> _Read:
    expected, known = _expected(hint, limits), get_args(hint)

    def fits(value: object) -> bool:
        if isinstance(value, bool):
            return hint is bool
        if isinstance(value, int | float):
            right = hint is float or (hint is int and isinstance(value, int))
            return right and limits.low <= value <= limits.high
        if isinstance(value, str):
            return value in known or (hint is str and len(value) <= LONGEST_TEXT)
        return False

    def leaf(value: Any, _: list[str]) -> Any:
        if hint is datetime:
            return _time(value, expected)
        if hint is not Any and not fits(value):
            raise _fault(value, expected)
        return float(value) if hint is float else value

    return leaf


def _expected(hint: Any, limits: Limits) -> str:
    """What is expected of a value, in words."""
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return _expected(*args)
    if origin is Literal:
        return f"one of {', '.join(args)}"
    words = _WORDS.get(origin, "an object")
    if origin not in (int, float) or limits.low == -sys.float_info.max:
        return words
    if limits.high == sys.float_info.max:
        return f"{words} of at least {limits.low:g}"
    return f"{words} from {limits.low:,.10g} to {limits.high:,.10g}"


def _fault(value: object, expected: str) -> FaultError:
    return FaultError(f": found {short(value)}, expected {expected}")


def _time(value: object, expected: str) -> datetime:
    """An ISO 8601 time; UTC unless it names a time zone."""
    try:
        time = datetime.fromisoformat(value if isinstance(value, str) else "")
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _fault(value, expected) from error
    if not 1970 < time.year < 9999:  # others have no local time
        raise _fault(value, expected)
    return time


def _noted(read: _Read, value: object, faults: list[str], key: str) -> Any:
    """Read a value and prefix its faults with `key`; returns `_FAILED` if it is unusable."""
    inside: list[str] = []
    try:
        result = read(value, inside)
    except FaultError as fault:
        inside.append(str(fault))
        result = _FAILED
    faults += [key + fault for fault in inside]
    return result


def _rows(read: _Read, limits: Limits) -> _Read:
    def rows(value: object, faults: list[str]) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _fault(value, "a list")
        if len(value) > limits.rows:
            faults.append(f": found {len(value)} items, expected at most {limits.rows}")
        numbered = enumerate(value[: limits.rows])
        items = (_noted(read, item, faults, f"[{index}]") for index, item in numbered)
        return tuple(item for item in items if item is not _FAILED)

    return rows


def _mapping(read: _Read) -> _Read:
    def mapping(value: object, faults: list[str]) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _fault(value, "an object")
        items = {key: _noted(read, item, faults, f".{key}") for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not _FAILED}

    return mapping


def _field(field: Field[Any], hint: Any, limits: Limits) -> _Read:
    """How a field's value is read from its object; `_FAILED` stands for the default."""
    name, read, expected = field.name, _reader(hint, limits), _expected(hint, limits)
    may_be_none = type(None) in get_args(hint)
    has_default = field.default is not MISSING or field.default_factory is not MISSING

    def value_in(data: Any, faults: list[str]) -> Any:
        if name not in data:
            if not has_default and not may_be_none:
                raise FaultError(f".{name}: found nothing, expected {expected}")
            return _FAILED if has_default else None
        value = _noted(read, data[name], faults, f".{name}")
        if value is _FAILED and may_be_none:
            return None
        if value is _FAILED and not has_default:
            raise FaultError(faults.pop())
        return value

    return value_in


def _object(cls: Any, limits: Limits) -> _Read:
    hints = get_type_hints(cls, include_extras=True)
    readers = {field.name: _field(field, hints[field.name], limits) for field in _stored(cls)}

    def read(value: object, faults: list[str]) -> Any:
        if not isinstance(value, Mapping):
            raise _fault(value, "an object")
        before = len(faults)
        values = {name: read_field(value, faults) for name, read_field in readers.items()}
        if limits.whole:
            unknown = f": unknown key, expected one of {', '.join(values)}"
            faults += [f".{key}{unknown}" for key in value if key not in values]
            if len(faults) > before:
                fault, faults[before:] = faults[before], []
                raise FaultError(fault)
        try:
            return cls(**{name: item for name, item in values.items() if item is not _FAILED})
        except InputError as error:
            raise FaultError(f": {error}") from error

    return read
