"""An image folder that another machine sends, kept in the cache under its digest."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from platformdirs import user_cache_path

from core.data.folders.disk_budget import format_bytes
from core.data.folders.image_folder import Folder
from core.data.sources.sent_files import SentFile, SentFiles
from core.errors import InputError, WriteError
from core.system.files import explain_write_error

LIMIT = 2 << 30
"""Most bytes of a folder that is sent: it is in memory, here and where it goes."""

KEPT = 30 * 86_400
"""Seconds that a folder stays after its last use, once another one arrives."""


def read_files(folder: Folder) -> SentFiles:
    """The image files of a folder; raises InputError if they are gone, or too large to send."""
    paths = dict.fromkeys(path for path, _ in folder.samples)
    try:
        stats = {path: path.stat() for path in paths}
        size = sum(stat.st_size for stat in stats.values())
        if size > LIMIT:
            raise InputError(
                f"folder:{folder.root} takes {format_bytes(size)}, and at most "
                f"{format_bytes(LIMIT)} are sent to a machine that lacks it: "
                "put the same folder on every machine, under the same path"
            )
        return tuple(
            SentFile(path.relative_to(folder.root).as_posix(), path.read_bytes(), stat.st_mtime_ns)
            for path, stat in stats.items()
        )
    except OSError as error:
        raise InputError(
            f"folder:{folder.root} cannot be sent to a machine that lacks it: "
            f"{error.filename}: {error.strerror}"
        ) from error


def home_of(root: Path, digest: str) -> Path:
    """Where the folder that is called like `root` and has this digest is kept."""
    return user_cache_path("featherweight") / "sent" / digest / root.name


def write_files(files: SentFiles, home: Path) -> None:
    """Write a folder, whole or not at all; raises WriteError.

    The files keep their times, which are part of the digest.
    """
    work = home.parent.with_name(f".{home.parent.name}-{uuid4().hex}")
    try:
        for file in files:
            path = work / home.name / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
            os.utime(path, ns=(file.time, file.time))
        _remove_unused(home.parent.parent)
        with suppress(FileExistsError):  # of another process that has received it, too
            if not home.exists():
                os.rename(work, home.parent)
    except OSError as error:
        raise WriteError(explain_write_error(error, home)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _remove_unused(cache: Path) -> None:
    """Remove folders that have long not been used, and what killed processes left."""
    for path in cache.iterdir():
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT:
                shutil.rmtree(path, ignore_errors=True)
