"""The folders of an experiment, changed by one program at a time: locked, made and deleted.

A lock is a file that a process holds as long as it lives: one for each run, held by its maker, and
one for the experiment, held for the milliseconds of a change.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import BaseFileLock, FileLock, Timeout

from core.errors import InputError
from core.system.files import explain_write_error

HIDDEN = ".run-"
"""How the name of a run's folder begins while it is being made or deleted."""

PATIENCE = 10.0
"""Seconds to wait for another program that changes the same experiment: it takes milliseconds."""


def acquire(path: Path) -> BaseFileLock:
    """A lock that is held from now on; raises InputError where it cannot be had.

    It is not bound to a thread: a job goes on in a thread of its own.
    """
    lock = FileLock(path, thread_local=False)
    with explained(path):
        lock.acquire(timeout=PATIENCE)
    return lock


def is_held(lock: Path) -> bool:
    """Whether a live process, maybe this one, holds a run's lock; it is neither made nor taken."""
    if not os.path.isfile(lock):
        return False
    try:
        import fcntl
    except ImportError:  # on Windows
        return is_held_by_trial(lock)
    try:
        # Shared, so that two who look do not take each other for the holder.
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_held_by_trial(lock: Path) -> bool:
    """The same, found out by taking the lock, where a lock cannot be shared."""
    try:
        # Another who looks holds it for less than a millisecond.
        with FileLock(lock).acquire(timeout=0.1, poll_interval=0.005):
            return False
    except Timeout:
        return True
    except OSError:
        return False


@contextmanager
def changing(experiment: Path) -> Iterator[None]:
    """Be the only one who begins, takes up, deletes or annotates runs of an experiment.

    Raises:
        InputError: the folder cannot be written, or another program does not let go of it.
    """
    lock = acquire(experiment / ".lock")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says about writing `path` into an InputError."""
    try:
        yield
    except Timeout as error:
        raise InputError(
            f"another program has held {path} for {PATIENCE:g} s: end it, or choose elsewhere"
        ) from error
    except OSError as error:
        raise InputError(explain_write_error(error, path)) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those that hold it, where missing; raises InputError if it cannot."""
    for place in (*reversed(folder.parents), folder):  # so that the error names the right one
        if not os.path.isdir(place):
            with explained(place):
                place.mkdir(exist_ok=True)


def remove(folder: Path) -> None:
    """Delete a run's folder, whole or not at all; raises InputError if it cannot.

    It goes out of sight in one step. Should deleting it then fail, `erase` takes the rest later.
    """
    hidden = folder.with_name(f"{HIDDEN}{uuid4().hex}")
    with explained(folder):
        folder.rename(hidden)
    erase(hidden)


def erase(path: Path) -> None:
    """Delete a folder with all that is in it, or a link to one, as far as that is possible."""
    if path.is_symlink():
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
