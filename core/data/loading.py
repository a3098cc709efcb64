"""Fetch a data set's files, or load its splits into memory."""

from pathlib import Path

from platformdirs import user_cache_path

from core.data.folders.disk_budget import BUDGET
from core.data.formats.reading import read_files, read_idx
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.registry import FOLDER, PROTOCOLS, Description, check_name, describe, is_folder
from core.data.sources.hosted_files import HostedFiles
from core.data.sources.registered_files import RegisteredFiles
from core.data.sources.store import ensure_files
from core.data.splits import Dataset, Split, split
from core.errors import InputError
from core.events import Progress, StopFlag, Stream, never


def fetch(name: str, data_dir: Path | None = None, stop: StopFlag = never) -> Stream[Path]:
    """Ensure a data set's files are present and correct.

    Args:
        name: of the data set, such as `mnist`.
        data_dir: the data folder, in which nothing is overwritten; None for Featherweight's own
            cache, in which a wrong file is downloaded again.
        stop: checked while waiting.

    Returns:
        The folder that holds the files.

    Raises:
        InputError: the name is unknown, or the data folder cannot be used or holds a wrong file.
        WorkError: no source has the files, or the stop flag is raised.
    """
    description = describe(name)
    if description.files:
        verified = yield from ensure_files(RegisteredFiles(description), data_dir, stop)
        return verified.folder
    paths = yield from ensure_files(HostedFiles(description), data_dir, stop)
    return paths[0].parent


def load(
    name: str,
    data_dir: Path | None = None,
    protocol: str = "default",
    stop: StopFlag = never,
    inputs: Inputs = DEFAULT_INPUTS,
    budget: int = BUDGET,
) -> Stream[Dataset]:
    """Download a data set's files if missing, verify them and split them.

    Args:
        name: of the data set, such as `mnist`, or `folder:PATH`.
        data_dir: as in `fetch`.
        protocol: `default` or `reference`, see `Dataset`.
        stop: as in `fetch`.
        inputs: image settings.
        budget: cache limit in bytes for all decoded folders together.

    Raises:
        InputError: as in `fetch`, or the protocol is unknown, or `inputs` does not fit the images.
        WorkError: as in `fetch`.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"unknown protocol {protocol!r}: expected one of {', '.join(PROTOCOLS)}")
    check_name(name)
    if not is_folder(name):
        description = describe(name)
        train, test = yield from _images(description, data_dir, stop)
        return split(description, train, test, protocol, inputs)

    from core.data.folders.decoded_cache import decoded
    from core.data.folders.image_folder import read_folder

    yield Progress("reading the image folder")
    folder = yield from read_folder(Path(name.removeprefix(FOLDER)).expanduser())
    cache = user_cache_path("featherweight") / "folders"
    return (yield from decoded(folder, cache, protocol, inputs, budget, stop))


def _images(
    description: Description, data_dir: Path | None, stop: StopFlag
) -> Stream[tuple[Split, Split]]:
    """The training and test images of a data set, downloaded if missing."""
    if description.files:
        verified = yield from ensure_files(RegisteredFiles(description), data_dir, stop)
        return read_idx(verified.files)
    paths = yield from ensure_files(HostedFiles(description), data_dir, stop)
    yield Progress(f"reading {description.name}")
    return read_files(description, paths)
