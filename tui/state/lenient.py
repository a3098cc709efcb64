"""Values that nobody has checked: from a file that a person, or another version, has written.

Whatever is missing or odd comes back as None, or as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tui.text.lines import clean

MOST = 1e12
"""Numbers beyond are taken for damage."""

_LONGEST = 400


def mapping(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The mapping called `name`."""
    found = facts.get(name)
    return found if isinstance(found, Mapping) else {}


def mappings(facts: Mapping[str, Any], name: str, most: int) -> Iterator[Mapping[str, Any]]:
    """The mappings in the list called `name`, at most so many."""
    found = facts.get(name)
    rows = found[:most] if isinstance(found, list) else []
    return (row for row in rows if isinstance(row, Mapping))


def number(value: object, low: float = 0.0, high: float = MOST) -> float | None:
    """A number from `low` to `high`; what is not a number lies outside."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None


def whole(value: object, low: float = 0.0, high: float = MOST) -> int | None:
    """A whole number from `low` to `high`."""
    found = number(value, low, high)
    return int(found) if found is not None and found.is_integer() else None


def text(value: object) -> str | None:
    """A text on one line, of characters that all terminals agree on."""
    return one_line(value[:_LONGEST]) or None if isinstance(value, str) else None


def one_line(value: str) -> str:
    """The same, however long."""
    return clean(" ".join(value.split()))


def moment(value: object) -> datetime | None:
    """A time of ISO 8601, which is UTC unless it says otherwise, in local time."""
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone()
    except (ValueError, OverflowError, OSError):  # the last two where no calendar goes
        return None
