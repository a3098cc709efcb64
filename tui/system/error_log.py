"""The error log: unforeseen errors with their tracebacks, in a file the screen names."""

import traceback
from datetime import datetime
from pathlib import Path

import platformdirs

from core.errors import InputError, WorkError
from tui.system.paths import with_tilde
from tui.text.outside import printable

SIZE_LIMIT = 1 << 20
"""Bytes after which a new log begins; the previous one is kept."""

_LONGEST = 120
_logged: set[tuple[Path, str]] = set()


def log_file() -> Path:
    """Where errors are logged."""
    return Path(platformdirs.user_log_dir("featherweight", appauthor=False)) / "errors.log"


def explain(error: BaseException) -> str:
    """An error's message if it is foreseen; otherwise logs it and names the log."""
    foreseen = isinstance(error, InputError | WorkError)
    return str(error) if foreseen else log_error(error)


def log_error(error: BaseException) -> str:
    """Log an error, once per traceback; never raises.

    Returns:
        One line for the screen: the error, and the file with its traceback.
    """
    path = log_file()
    raised_at = type(error).__name__ + "".join(traceback.format_tb(error.__traceback__))
    try:
        if (path, raised_at) not in _logged:
            _append(path, "".join(traceback.format_exception(error)))
            _logged.add((path, raised_at))
    except OSError as problem:
        return f"{_summary(error)} (not logged: {problem.strerror or problem})"
    return f"{_summary(error)} (details in {with_tilde(path)})"


def _summary(error: BaseException) -> str:
    """Its type and message, on one line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > SIZE_LIMIT:
        path.replace(path.with_suffix(".old"))
    now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}"
    with path.open("a", encoding="utf-8", errors="replace") as file:
        file.write("\n".join((now, *map(printable, text.splitlines()), "\n")))
