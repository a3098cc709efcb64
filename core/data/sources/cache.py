"""The files in a data folder, read and checked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.data.registry import Description, File
from core.events import Progress, StopFlag, Stream
from core.system.background import raise_if_stopped
from core.system.error_text import reason


@dataclass(frozen=True, slots=True)
class Found:
    """A data set's files in a folder, all of them verified.

    Attributes:
        folder: the folder that holds them.
        files: their contents by name, uncompressed.
    """

    folder: Path
    files: dict[str, bytearray]


@dataclass(frozen=True, slots=True)
class Look:
    """The state of a data folder.

    Attributes:
        found: the files; None if some are missing or wrong.
        faults: what is wrong with files that are present, one line each.
    """

    found: Found | None
    faults: tuple[str, ...] = ()


class _FaultError(Exception):
    """A file is there and wrong; the message says which and why."""


def home(description: Description, data_dir: Path) -> Path:
    """The folder a download writes to, in torchvision's layout."""
    return data_dir / description.folder / "raw"


def look(description: Description, data_dir: Path, stop: StopFlag) -> Stream[Look]:
    """Read and verify a data set's files, plain or gzipped, anywhere a data folder may hold them.

    Raises:
        WorkError: the stop flag is raised.
    """
    faults: list[str] = []
    for folder in (home(description, data_dir), data_dir, data_dir / "raw"):
        files: dict[str, bytearray] = {}
        for name, path in _present(description, folder):
            raise_if_stopped(stop)
            yield Progress(f"check {name}", unit="B")
            try:
                files[name] = _read(path, description.files[name])
            except _FaultError as fault:
                faults.append(str(fault))
        if len(files) == len(description.files):
            return Look(Found(folder, files))
    return Look(None, tuple(faults))


def _present(description: Description, folder: Path) -> Iterator[tuple[str, Path]]:
    for name in description.files:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                yield name, path
                break


def _read(path: Path, file: File) -> bytearray:
    """Read a file once, and no further than is needed to tell that it is too long."""
    data = bytearray(file.size + 1)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            length = stream.readinto(data)
    except (OSError, EOFError, zlib.error) as error:
        raise _FaultError(f"{path} cannot be read ({reason(error)})") from error
    del data[length:]
    if fault := file.fault(data):
        raise _FaultError(f"{path} {fault}")
    return data
