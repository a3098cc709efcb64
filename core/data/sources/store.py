"""A data folder's verified files, downloaded if missing, by one process at a time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock, Timeout

from core.data.registry import Description, Files
from core.data.sources.cache import Found, home, look
from core.data.sources.fetching import fetch_files
from core.errors import InputError, WorkError
from core.events import Notice, Progress, StopFlag, Stream
from core.system import background
from core.system.background import raise_if_stopped
from core.system.files import NO_SPACE

_WORK_PREFIX = ".fetch-"
_MEGABYTE = 1_000_000
_OTHER = "use another --data-dir"


def ensure_files(
    description: Description, data_dir: Path, own: bool, stop: StopFlag
) -> Stream[Found]:
    """Ensure a data folder holds a data set's files, and read them.

    Args:
        description: of the data set.
        data_dir: the data folder; created where it is missing.
        own: the folder is Featherweight's cache, in which a wrong file is replaced. In a folder
            named by the user, nothing is ever overwritten.
        stop: checked while waiting.

    Raises:
        InputError: the folder cannot be used, or holds a wrong file and is not our own.
        WorkError: no source gives the files, or the stop flag is raised.
    """
    try:
        found = yield from _usable(description, data_dir, own, stop)
        return found or (yield from _fetch(description, data_dir, own, stop))
    except OSError as error:
        needed = sum(file.size for file in description.files.values())
        raise _unusable(data_dir, error, needed) from error


def _usable(
    description: Description, data_dir: Path, own: bool, stop: StopFlag, tell: bool = False
) -> Stream[Found | None]:
    """Find the files; a wrong one is an error in a user's folder and a notice in our own."""
    seen = yield from look(description, data_dir, stop)
    if seen.found:
        return seen.found
    if seen.faults and not own:
        raise InputError(f"{seen.faults[0]}; delete it or use another --data-dir")
    if tell:
        for fault in seen.faults:
            yield Notice(f"{fault}; downloading it again", warning=True)
    return None


def _fetch(description: Description, data_dir: Path, own: bool, stop: StopFlag) -> Stream[Found]:
    """Download under the folder's lock, unless its previous holder has done so."""
    data_dir.mkdir(parents=True, exist_ok=True)
    # Not bound to a thread: a driver may close the stream from another one.
    lock = FileLock(data_dir / ".lock", thread_local=False)
    yield from _acquire(lock, stop)
    try:
        found = yield from _usable(description, data_dir, own, stop, tell=True)
        if found is None:
            yield from _renew(description, data_dir, own, stop)
            found = yield from _usable(description, data_dir, own, stop)
        if found is None:
            raise WorkError(f"{data_dir} lost the files written to it")
        return found
    finally:
        lock.release()


def _acquire(lock: FileLock, stop: StopFlag) -> Stream[None]:
    while True:
        try:
            lock.acquire(timeout=background.TICK)
            return
        except Timeout:
            raise_if_stopped(stop)
            yield Progress("waiting for another download")


def _renew(description: Description, data_dir: Path, own: bool, stop: StopFlag) -> Stream[None]:
    for remnant in data_dir.glob(f"{_WORK_PREFIX}*"):  # of a fetch that was killed
        shutil.rmtree(remnant, ignore_errors=True)
    with TemporaryDirectory(
        prefix=_WORK_PREFIX, dir=data_dir, ignore_cleanup_errors=True
    ) as folder:
        work = Path(folder)
        wheel = work / "wheel"
        wheel.mkdir()
        files = yield from fetch_files(description, data_dir, wheel, stop)
        yield Progress(f"write {description.name}", unit="B")
        _install(files, work / "raw", home(description, data_dir), replace=own)


def _install(files: Files, staged: Path, target: Path, replace: bool) -> None:
    """Write files next to their target, then move them, so that none is ever incomplete."""
    staged.mkdir()
    for name, data in files.items():
        (staged / name).write_bytes(data)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        staged.rename(target)
        return
    for name in files:
        if replace or not (target / name).exists():
            os.replace(staged / name, target / name)


def _unusable(folder: Path, error: OSError, needed: int) -> InputError:
    """Turn what the system says about a data folder into an error that says how to fix it.

    Args:
        folder: the data folder.
        error: the system's error.
        needed: bytes a download takes.
    """
    if error.errno in NO_SPACE:
        there = next(path for path in (folder, *folder.parents) if os.path.exists(path))
        free = shutil.disk_usage(there).free
        return InputError(
            f"no space left in {folder}: {needed / _MEGABYTE:.0f} MB needed, "
            f"{free / _MEGABYTE:.0f} MB free; free some space or {_OTHER}"
        )
    if os.path.isfile(folder):
        return InputError(f"{folder} is a file, expected a folder; {_OTHER}")
    return InputError(f"cannot use {folder} ({error.strerror or error}); {_OTHER}")
