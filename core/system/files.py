"""Atomic writes, and checks of paths before the work starts."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from core.errors import InputError, WriteError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a full disk, quota or file size limit."""

AMPLE = 1_000
"""MB that hold any file written here: with as many free, it is not the disk that is full."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file next to `path`, then move it into place.

    A reader of `path` always finds the old file or the new one. A link's target is replaced, not
    the link. A path that is not a regular file, such as a pipe, is written directly.

    Raises WriteError if the folder is missing, not writable or full.
    """
    try:
        if path.exists() and not path.is_file():  # first: /dev/stdout does not resolve to a path
            write(path)
            return
        path = path.resolve()
        part = path.with_name(f".{path.name[:40]}-{uuid4().hex}")
        part.touch(exist_ok=False)
        try:
            write(part)
            if path.exists():
                part.chmod(stat.S_IMODE(path.stat().st_mode))
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads back to itself
        raise WriteError(explain_write_error(error, path)) from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically; raises WriteError like `write_whole`."""
    write_whole(path, lambda part: part.write_text(as_utf8(text), encoding="utf-8"))


def as_utf8(text: str) -> str:
    """A text in which paths are UTF-8, whatever the locale.

    Where the locale's encoding has no letter for a byte of a path, Python keeps the byte as a
    surrogate, which no file of text can hold.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def check_writable(path: Path) -> None:
    """Raise InputError if a file cannot be written to `path`; leaves nothing behind."""
    if not os.path.isdir(path.parent):
        why = "is not a folder" if os.path.exists(path.parent) else "does not exist"
        raise InputError(f"cannot write {path}: the folder {path.parent} {why}")
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        raise InputError(f"cannot write {path}: it is a folder; give the path of a file")
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        kind = "a device" if stat.S_ISBLK(mode) else "a socket"
        raise InputError(f"cannot write {path}: it is {kind}; give the path of a file")
    if mode and not stat.S_ISREG(mode):  # a pipe or a terminal, which is written directly
        if not os.access(path, os.W_OK):
            raise InputError(f"cannot write {path}: no permission; give the path of a file")
        return
    folder = path.resolve().parent  # that of a link's target
    if not os.path.isdir(folder):
        raise InputError(f"cannot write {path}: the folder {folder} does not exist")
    _try_to_write(folder, f"cannot write {path}")


def check_writable_folder(path: Path, option: str) -> None:
    """Raise InputError if nothing can be written to the folder `path`, existing or not.

    Leaves nothing behind.
    """
    path = path.absolute()
    existing = next((folder for folder in (path, *path.parents) if _mode(folder)), path)
    if not stat.S_ISDIR(_mode(existing)):
        raise InputError(f"{option} {path}: {existing} is a file, expected a folder")
    _try_to_write(existing, f"{option} {path}")


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


def is_recorded_path(recorded: str, named: str) -> bool:
    """Whether the path a user names may be the one in a file.

    A relative path was recorded in some folder: it may be the end of any path. What is not here
    has moved: its own name is left. Nothing is opened.
    """
    try:
        old, real = os.path.expanduser(recorded), os.path.realpath(os.path.expanduser(named))
        if os.path.realpath(old) == real:
            return True
        parts, end = Path(real).parts, tuple(part for part in Path(old).parts if part != "..")
        if parts[len(parts) - len(end) :] == end:
            return True
        return not os.path.exists(old) and Path(old).name == Path(real).name
    except ValueError:  # a NUL in a damaged file
        return False


def _try_to_write(folder: Path, what: str) -> None:
    """Write a file in a folder and delete it; raises InputError, beginning with `what`.

    No other test is sure: the administrator may write everywhere but in /proc, or on a disk that is
    read-only or full.
    """
    probe = folder / f".{uuid4().hex}"
    try:
        try:
            probe.write_bytes(b"0")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{what}: {_why(error, folder)}") from error


def _mode(path: Path) -> int:
    """The mode of the file or folder at `path`; 0 if there is none."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:  # such as ENAMETOOLONG
        raise InputError(f"{path} cannot be used: {error.strerror or error}") from error
    except ValueError as error:  # a NUL
        raise InputError(f"{path} cannot be used: {error}") from error


def explain_write_error(error: Exception, path: Path) -> str:
    """Say on one line why `path` could not be written and how to fix it."""
    folder = path.parent
    if isinstance(error, FileNotFoundError) and not folder.exists():
        return f"cannot write {path}: the folder {folder} does not exist; create it first"
    return f"cannot write {path}: {_why(error, folder)}"


def _why(error: Exception, folder: Path) -> str:
    """Why nothing can be written in a folder that exists, and how to fix it."""
    number = error.errno if isinstance(error, OSError) else None
    if number in NO_SPACE:
        with suppress(OSError):
            free = shutil.disk_usage(folder).free // 1_000_000
            if free < AMPLE:
                return f"no space left ({free} MB free); free some space"
        return "no space left"
    if number in (errno.EACCES, errno.EPERM):
        text = f"no permission to write in {folder}"
    elif number == errno.EROFS:
        text = f"{folder} is on a read-only file system"
    elif number == errno.ENOENT:
        text = f"no file can be created in {folder}"
    else:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{text}; choose a writable place"
