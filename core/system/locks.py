"""Folders of an experiment, changed by one process at a time: locked, created and deleted.

Every run has a lock file, held by its writer, and every experiment one, held for the milliseconds
of a change.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from core.errors import InputError, WriteError
from core.system.files import explain_write_error

if TYPE_CHECKING:
    from filelock import BaseFileLock

HIDDEN = ".run-"
"""Prefix of a run's folder while it is being created or deleted."""

LOCK_TIMEOUT = 10.0
"""Seconds to wait for another process's change to the experiment."""


def acquire(path: Path) -> BaseFileLock:
    """Acquire a lock; raises InputError if that fails."""
    from filelock import FileLock, Timeout  # late: nothing is locked before the first screen

    lock = FileLock(path, thread_local=False)  # a job continues in another thread
    with explain_write_errors(path):
        try:
            lock.acquire(timeout=LOCK_TIMEOUT)
        except Timeout as error:
            held = f"another program has held {path} for {LOCK_TIMEOUT:g} s"
            raise InputError(f"{held}: stop it or use another folder") from error
    return lock


def is_held(lock: Path) -> bool:
    """Whether a live process, maybe this one, holds a run's lock."""
    if not os.path.isfile(lock):
        return False
    try:
        import fcntl
    except ImportError:  # on Windows
        return is_held_by_trial(lock)
    with suppress(OSError), lock.open("rb") as file:
        try:  # shared, so that two readers do not take each other for the holder
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_held_by_trial(lock: Path) -> bool:
    """The same by acquiring the lock, on systems without shared locks."""
    from filelock import FileLock, Timeout

    try:
        # Another reader holds it for less than a millisecond.
        with FileLock(lock).acquire(timeout=0.1, poll_interval=0.005):
            return False
    except Timeout:
        return True
    except OSError:
        return False


@contextmanager
def locked(experiment: Path) -> Iterator[None]:
    """Lock an experiment to change its runs; raises InputError if that fails."""
    lock = acquire(experiment / ".lock")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Turn errors of writing `path` into WriteErrors."""
    try:
        yield
    except OSError as error:
        raise WriteError(explain_write_error(error, path)) from error


def make_folder(folder: Path) -> None:
    """Create a folder and its parents if missing; raises InputError on failure."""
    for path in (*reversed(folder.parents), folder):  # one by one, so errors name the right one
        if not os.path.isdir(path):
            with explain_write_errors(path):
                path.mkdir(exist_ok=True)


def remove(folder: Path) -> None:
    """Delete a run's folder, atomically; raises InputError on failure.

    It is renamed first, so no reader sees half a run.
    """
    hidden = folder.with_name(f"{HIDDEN}{uuid4().hex}")
    with explain_write_errors(folder):
        folder.rename(hidden)
    delete_tree(hidden)


def delete_tree(path: Path) -> None:
    """Delete a folder and its contents, or a link to one, as far as possible."""
    if path.is_symlink():
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
