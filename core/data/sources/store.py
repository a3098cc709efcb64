"""A data folder's verified files, downloaded if missing, by one process at a time."""

import os
import shutil
from pathlib import Path
from typing import Protocol, TypeVar

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from core.errors import InputError, WorkError, WriteError
from core.events import Notice, Progress, StopFlag, Stream
from core.system import blocking_calls
from core.system.blocking_calls import raise_if_stopped
from core.system.files import NO_SPACE

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

_OTHER = "use another --data-dir"


def default_data_dir() -> Path:
    """The data folder in Featherweight's cache."""
    return user_cache_path("featherweight") / "data"


class FileSet(Protocol[T_co]):
    """A data set's files.

    Attributes:
        size: their bytes.
    """

    @property
    def size(self) -> int: ...  # noqa: D102

    def inspect(self, data_dir: Path, stop: StopFlag) -> Stream[tuple[T_co | None, list[str]]]:
        """Verify the files in a data folder.

        Returns:
            The files, None if any are missing or wrong; and what is wrong with those present.
        """

    def download(self, data_dir: Path, replace: bool, stop: StopFlag) -> Stream[None]:
        """Put missing files into an existing data folder; `replace` also wrong ones."""


def ensure_files(files: FileSet[T], data_dir: Path | None, stop: StopFlag) -> Stream[T]:
    """Ensure a data folder holds a data set's files, and return them verified.

    The folder is created if missing. In Featherweight's own cache (`data_dir` is None), a wrong
    file is replaced; in a folder named by the user, nothing is overwritten.

    Raises:
        InputError: the folder cannot be used, or holds a wrong file and is not our own.
        WorkError: no source has the files, or the stop flag is raised.
    """
    own, data_dir = data_dir is None, data_dir or default_data_dir()
    try:
        verified = yield from _verify(files, data_dir, own, stop)
        return verified or (yield from _fetch(files, data_dir, own, stop))
    except OSError as error:
        raise _unusable(data_dir, error, files.size) from error


def _verify(
    files: FileSet[T], data_dir: Path, own: bool, stop: StopFlag, notify: bool = False
) -> Stream[T | None]:
    """Verify the files; a wrong one is an error in a user's folder and a notice in our own."""
    verified, faults = yield from files.inspect(data_dir, stop)
    if faults and not own:
        raise InputError(f"{faults[0]}; delete it or {_OTHER}")
    if notify:
        for fault in faults:
            yield Notice(f"{fault}; downloading it again", warning=True)
    return verified


def _fetch(files: FileSet[T], data_dir: Path, own: bool, stop: StopFlag) -> Stream[T]:
    """Download under the folder's lock, unless its previous holder has."""
    data_dir.mkdir(parents=True, exist_ok=True)
    # Not bound to a thread, because a stream may be closed from another one.
    lock = FileLock(data_dir / ".lock", thread_local=False)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=blocking_calls.TICK)
        except Timeout:
            raise_if_stopped(stop)
            yield Progress("waiting for another download")
    try:
        verified = yield from _verify(files, data_dir, own, stop, notify=True)
        if verified is None:
            yield from files.download(data_dir, own, stop)
            verified = yield from _verify(files, data_dir, own, stop)
        if verified is None:
            raise WorkError(f"the files downloaded to {data_dir} have disappeared: try again")
        return verified
    finally:
        lock.release()


def _unusable(folder: Path, error: OSError, needed: int) -> InputError:
    """Say why a data folder cannot be used and how to fix it; a download needs `needed` bytes."""
    if error.errno in NO_SPACE:
        existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))
        free = shutil.disk_usage(existing).free
        return WriteError(
            f"no space left in {folder}: {needed / 1e6:.0f} MB needed, "
            f"{free / 1e6:.0f} MB free; free some space or {_OTHER}"
        )
    if os.path.isfile(folder):
        return InputError(f"{folder} is a file, expected a folder; {_OTHER}")
    return InputError(f"cannot use {folder} ({error.strerror or error}); {_OTHER}")
