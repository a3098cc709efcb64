"""The files of a known data set that another machine sends, in place of a download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.data.registry import Description
from core.data.sources.cache import Verified, raw_folder
from core.data.sources.hosted_files import HostedFiles
from core.data.sources.registered_files import RegisteredFiles
from core.data.sources.store import default_data_dir
from core.events import Progress, StopFlag, Stream, never
from core.system.files import write_whole


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of images: its path in its folder, its contents, and when it was changed, in ns."""

    name: str
    data: bytes
    time: int = 0


SentFiles = tuple[SentFile, ...]
"""All files of a data set."""


def file_set(description: Description) -> RegisteredFiles | HostedFiles:
    """The files of a data set; see `core.data.sources.store.FileSet`."""
    return RegisteredFiles(description) if description.files else HostedFiles(description)


def contents(description: Description, data_dir: Path | None) -> Stream[SentFiles | None]:
    """The verified files in a data folder; None if any are missing or wrong."""
    found, _ = yield from file_set(description).inspect(data_dir or default_data_dir(), never)
    if found is None:
        return None
    if isinstance(found, Verified):
        return tuple(SentFile(name, bytes(data)) for name, data in found.files.items())
    return tuple(SentFile(path.name, path.read_bytes()) for path in found)


class ReceivedFiles:
    """The files of a data set, received when a data folder lacks them.

    A `core.data.sources.store.FileSet`: what arrives is verified like a download.

    """

    def __init__(self, description: Description, receive: Callable[[], SentFiles]) -> None:
        self._description, self._receive = description, receive
        self._files = file_set(description)

    @property
    def size(self) -> int:
        """The bytes of the files."""
        return self._files.size

    def inspect(self, data_dir: Path, stop: StopFlag) -> Stream[tuple[Any, list[str]]]:
        """Verify the files in a data folder."""
        return self._files.inspect(data_dir, stop)

    def download(self, data_dir: Path, replace: bool, stop: StopFlag) -> Stream[None]:
        """Write the files that are received, each whole or not at all."""
        yield Progress(f"receiving {self._description.name}", unit="B")
        folder = raw_folder(self._description, data_dir)
        folder.mkdir(parents=True, exist_ok=True)
        for file in self._receive():
            write_whole(folder / file.name, partial(Path.write_bytes, data=file.data))
