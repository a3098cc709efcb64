"""The log of errors: what nobody foresaw, with its traceback, in a file that the screen names."""

from __future__ import annotations

import traceback
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import platformdirs

LARGEST = 1 << 20
"""Bytes after which the log begins anew; the one before it is kept."""

_SHORTEST = 120
_recorded: set[tuple[Path, str]] = set()


def log_file() -> Path:
    """Where errors are logged."""
    return Path(platformdirs.user_log_dir("featherweight", appauthor=False)) / "errors.log"


def record(error: BaseException) -> str:
    """Log an error, once for each way to it however often it comes; never raises.

    Returns:
        One line for the screen: the error, and the file that has its traceback.
    """
    path = log_file()
    way = type(error).__name__ + "".join(traceback.format_tb(error.__traceback__))
    try:
        if (path, way) not in _recorded:
            _append(path, "".join(traceback.format_exception(error)))
            _recorded.add((path, way))
    except OSError as problem:
        return f"{summary(error)} (not logged: {problem.strerror or problem})"
    return f"{summary(error)} (details in {_shortened(path)})"


def summary(error: BaseException) -> str:
    """Its type and what it says, on one line."""
    said = " ".join(str(error).split())
    said = said if len(said) <= _SHORTEST else f"{said[:_SHORTEST]}…"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(path.with_suffix(".old"))
    now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}"
    with path.open("a", encoding="utf-8", errors="replace") as file:
        file.write(f"{now}\n{text}\n")


def _shortened(path: Path) -> str:
    """With ~ for the home folder."""
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home())}"
    return str(path)
