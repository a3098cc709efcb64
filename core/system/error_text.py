"""Parts of messages: the reason for an error, names, counts."""

from collections.abc import Collection
from urllib.error import HTTPError, URLError

from core.system import blocking_calls


def reason(error: BaseException) -> str:
    """The reason for a failure, in a few words on one line."""
    if isinstance(error, URLError) and not isinstance(error, HTTPError):
        return reason(error.reason) if isinstance(error.reason, OSError) else str(error.reason)
    if isinstance(error, TimeoutError):
        return f"no response in {blocking_calls.TIMEOUT:g} s"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def some(names: Collection[str]) -> str:
    """The first of some names, and how many others there are."""
    first, more = next(iter(names)), len(names) - 1
    return f"{first} and {more} more" if more else first


def counted(number: int, noun: str) -> str:
    """A count with its noun: 1 image, 5,000 images."""
    return f"{number:,} {noun}" + "s" * (number != 1)
