"""A data set whose files only torchvision's class knows: kept as they are downloaded."""

from contextlib import suppress
from pathlib import Path

from core.data.registry import Description
from core.data.sources.cache import places, raw_folder
from core.data.sources.download import download, fault_of
from core.data.sources.torchvision_files import RemoteFile, remote_files
from core.errors import WorkError
from core.events import StopFlag, Stream, portions
from core.system.blocking_calls import SourceError, run_in_thread

_PARTS = ".partial"
"""The folder of unfinished downloads in a data folder."""


class HostedFiles:
    """The paths of the files, in torchvision's order; see `core.data.sources.store.FileSet`."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self._files: tuple[RemoteFile, ...] = ()

    @property
    def size(self) -> int:
        """The bytes of the files, about."""
        return self._description.download

    def inspect(
        self, data_dir: Path, stop: StopFlag
    ) -> Stream[tuple[tuple[Path, ...] | None, list[str]]]:
        """Find each file anywhere in a data folder and verify its MD5.

        Raises WorkError if torchvision cannot be imported.
        """
        found: list[Path] = []
        faults: list[str] = []
        files = yield from self._known(stop)
        for file in files:
            path, wrong = yield from self._find(file, data_dir, stop)
            found += [path] if path else []
            faults += [] if path else wrong
        return (tuple(found) if len(found) == len(files) else None), faults

    def download(self, data_dir: Path, replace: bool, stop: StopFlag) -> Stream[None]:
        """Download each file that is missing or wrong.

        Raises WorkError if no address has one of them, or the stop flag is raised.
        """
        folder, parts = raw_folder(self._description, data_dir), data_dir / _PARTS
        files = yield from self._known(stop)
        for file, portion in zip(files, portions(*[1] * len(files)), strict=True):
            yield portion
            path, wrong = yield from self._find(file, data_dir, stop)
            if path or (wrong and not replace):
                continue
            try:
                yield from download(file, folder / file.name, parts / file.name, stop)
            except SourceError as error:
                raise WorkError(
                    f"could not download {self._description.name}: {error}; connect to the "
                    f"internet, or put {file.name} into {folder}"
                ) from error
            finally:
                with suppress(OSError):  # a part is kept
                    parts.rmdir()

    def _find(
        self, file: RemoteFile, data_dir: Path, stop: StopFlag
    ) -> Stream[tuple[Path | None, list[str]]]:
        """The right file in a data folder, if any; and what is wrong with the others."""
        wrong: list[str] = []
        paths = (folder / file.name for folder in places(self._description, data_dir))
        for path in filter(Path.exists, paths):
            fault = yield from fault_of(path, file, stop)
            if fault is None:
                return path, wrong
            wrong.append(f"{path} {fault}")
        return None, wrong

    def _known(self, stop: StopFlag) -> Stream[tuple[RemoteFile, ...]]:
        """The files, looked up once."""
        if not self._files:
            name, step = self._description.folder, "looking up the files in torchvision"
            try:
                self._files = yield from run_in_thread(lambda _: remote_files(name), step, stop)
            except SourceError as error:
                raise WorkError(f"{self._description.name}: {error}") from error
        return self._files
