"""Remembers, in the platform's state folder, that the tour has been seen."""

from contextlib import suppress
from pathlib import Path

import platformdirs


def _seen() -> Path:
    return Path(platformdirs.user_state_dir("featherweight", appauthor=False)) / "tour-seen"


def is_first_start() -> bool:
    """Whether the tour has not been seen yet."""
    return not _seen().exists()


def remember_start() -> None:
    """Remember that it has; where nothing can be stored, it appears again."""
    with suppress(OSError):
        _seen().parent.mkdir(parents=True, exist_ok=True)
        _seen().touch()
