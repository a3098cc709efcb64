"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from core.errors import InputError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a disk, a user or a file that has reached its limit."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place.

    Whoever reads `path`, at any moment, finds the old file or the new one; what a link leads to is
    replaced, not the link. A path that is no regular file, such as a pipe, is written straight.

    Raises:
        InputError: the folder is missing, not writable or full.
    """
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            write(path)
            return
        part = path.with_name(f".{path.name[:40]}-{uuid4().hex}")
        part.touch(exist_ok=False)
        try:
            write(part)
            if path.exists():
                part.chmod(stat.S_IMODE(path.stat().st_mode))
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(explain_write_error(error, path)) from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all; raises InputError like `write_whole`."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def explain_write_error(error: OSError, path: Path) -> str:
    """One line that says why `path` could not be written and what would help."""
    if error.errno in NO_SPACE:
        free = shutil.disk_usage(path.parent).free // 1_000_000
        return f"cannot write {path}: no space left ({free} MB free); free some or choose elsewhere"
    if isinstance(error, FileNotFoundError):
        return f"cannot write {path}: the folder {path.parent} does not exist; create it first"
    return f"cannot write {path}: {error.strerror or error}; choose a place that can be written"
