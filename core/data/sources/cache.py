"""The files in a data folder, read and verified."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from core.data.registry import Description, File
from core.events import Progress, StopFlag, Stream
from core.system.blocking_calls import raise_if_stopped
from core.system.error_text import reason


@dataclass(frozen=True, slots=True)
class Verified:
    """A data set's verified files: their folder, and their uncompressed contents by name."""

    folder: Path
    files: dict[str, bytearray]


def raw_folder(description: Description, data_dir: Path) -> Path:
    """The folder a download writes to, in torchvision's layout."""
    return data_dir / description.folder / "raw"


def places(description: Description, data_dir: Path) -> tuple[Path, ...]:
    """Where the files may be in a data folder."""
    return raw_folder(description, data_dir), data_dir, data_dir / "raw"


def inspect(
    description: Description, data_dir: Path, stop: StopFlag
) -> Stream[tuple[Verified | None, list[str]]]:
    """Read and verify a data set's files, plain or gzipped, anywhere in a data folder.

    Returns:
        The files, None if any are missing or wrong; and what is wrong with those present.
    """
    faults: list[str] = []
    for folder in places(description, data_dir):
        files: dict[str, bytearray] = {}
        for name, file in description.files.items():
            paths = (folder / name, folder / f"{name}.gz")
            if (path := next(filter(Path.exists, paths), None)) is None:
                continue
            raise_if_stopped(stop)
            yield Progress(f"checking {name}", unit="B")
            data, fault = _read(path, file)
            if fault:
                faults.append(f"{path} {fault}")
            else:
                files[name] = data
        if len(files) == len(description.files):
            return Verified(folder, files), []
    return None, faults


def _read(path: Path, file: File) -> tuple[bytearray, str | None]:
    """Read a file, at most one byte beyond its expected size, and say what is wrong with it."""
    data = bytearray(file.size + 1)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            length = stream.readinto(data)
    except (OSError, EOFError, zlib.error) as error:
        return data, f"cannot be read ({reason(error)})"
    del data[length:]
    return data, file.fault(data)
