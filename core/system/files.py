"""Atomic writes, and checks of paths before the work starts."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from core.errors import InputError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a full disk, quota or file size limit."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file next to `path`, then move it into place.

    A reader of `path` always finds the old file or the new one. A link's target is replaced, not
    the link. A path that is not a regular file, such as a pipe, is written directly.

    Raises InputError if the folder is missing, not writable or full.
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
    """Write `text` as UTF-8, atomically; raises InputError like `write_whole`."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def check_writable(path: Path) -> None:
    """Raise InputError if a file cannot be written to `path`; writes nothing."""
    if os.path.isdir(path):
        raise InputError(f"cannot write {path}: it is a folder; give the path of a file")
    if not os.path.isdir(path.parent):
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {path}: no permission to write in {path.parent}")
    _mode(path)


def check_writable_folder(path: Path, option: str) -> None:
    """Raise InputError if `path` is not a folder and cannot be created; creates nothing."""
    path = path.absolute()
    existing = next((folder for folder in (path, *path.parents) if _mode(folder)), path)
    if not stat.S_ISDIR(_mode(existing)):
        raise InputError(f"{option} {path}: {existing} is a file, expected a folder")
    if existing != path and not os.access(existing, os.W_OK):
        raise InputError(f"{option} {path}: no permission to create it in {existing}")


def check_readable(path: Path, what: str) -> None:
    """Raise InputError if there is no readable file at `path`, or it is empty."""
    mode = _mode(path)
    if not mode:
        raise InputError(f"no {what} at {path}: expected the path of a file")
    if not stat.S_ISREG(mode):  # opening a pipe would wait for its writer
        kind = "folder" if stat.S_ISDIR(mode) else "pipe" if stat.S_ISFIFO(mode) else "device"
        raise InputError(f"cannot read {path}: it is a {kind}, expected a {what}")
    if not os.access(path, os.R_OK):
        raise InputError(f"cannot read {path}: no permission; make it readable with chmod +r")
    if not path.stat().st_size:
        raise InputError(f"cannot read {path}: it is empty, expected a {what}")


def _mode(path: Path) -> int:
    """The mode of the file or folder at `path`; 0 if there is none."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:  # such as ENAMETOOLONG
        raise InputError(f"{path} cannot be used: {error.strerror or error}") from error


def explain_write_error(error: OSError, path: Path) -> str:
    """Say on one line why `path` could not be written and how to fix it."""
    if error.errno in NO_SPACE:
        free = shutil.disk_usage(path.parent).free // 1_000_000
        return f"cannot write {path}: no space left ({free} MB free); free some space"
    if isinstance(error, FileNotFoundError):
        return f"cannot write {path}: the folder {path.parent} does not exist; create it first"
    return f"cannot write {path}: {error.strerror or error}; choose a writable place"
