"""The images of a data set for a machine that lacks them.

Example:
wanted = drain(images_key(dataset))                         # on the machine that has them
place = drain(find_images(dataset, None, wanted))           # on the other; None if it has not
sent = drain(read_images(dataset, None))                    # then on the first
place = drain(keep_images(dataset, wanted, lambda: sent))   # and on the other
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.data.folders.decoded_cache import folder_digest
from core.data.folders.image_folder import Folder, read_folder
from core.data.folders.sent_folder import home_of, read_files, write_files
from core.data.registry import FOLDER, describe, is_folder
from core.data.sources.sent_files import ReceivedFiles, SentFiles, contents, file_set
from core.data.sources.store import default_data_dir, ensure_files
from core.errors import InputError
from core.events import Stream, never


@dataclass(frozen=True, slots=True)
class ImagesPlace:
    """Where a machine has the images: the arguments `name` and `data_dir` of `load`."""

    dataset: str
    data_dir: Path | None


def images_key(dataset: str) -> Stream[str]:
    """What tells the images of an image folder from others; empty for a known data set.

    The checksums of those are part of the program. Raises InputError if the folder cannot be read.
    """
    return folder_digest((yield from _folder(dataset))) if is_folder(dataset) else ""


def find_images(dataset: str, data_dir: Path | None, key: str) -> Stream[ImagesPlace | None]:
    """Where this machine has images with a key, verified by their checksums; None if it lacks them.

    It looks in the data folder, then in Featherweight's own cache; nothing is downloaded.
    """
    if is_folder(dataset):
        return (yield from _find_folder(dataset, key))
    for folder in dict.fromkeys((data_dir, None)):
        with suppress(OSError):
            files = file_set(describe(dataset))
            found, _ = yield from files.inspect(folder or default_data_dir(), never)
            if found is not None:
                return ImagesPlace(dataset, folder)
    return None


def read_images(dataset: str, data_dir: Path | None) -> Stream[SentFiles]:
    """The images as files to send; raises InputError if they are gone, or too large."""
    if is_folder(dataset):
        return read_files((yield from _folder(dataset)))
    files = yield from contents(describe(dataset), data_dir)
    if files is None:
        raise InputError(f"the files of {dataset} have disappeared from {data_dir or 'the cache'}")
    return files


def keep_images(dataset: str, key: str, receive: Callable[[], SentFiles]) -> Stream[ImagesPlace]:
    """Receive images that this machine lacks, and keep them in Featherweight's own cache.

    Processes that do so at once receive those of a known data set once.

    Raises InputError if they cannot be written, or are not those that the key names.
    """
    if is_folder(dataset):
        write_files(receive(), home_of(_root(dataset), key))
        place = yield from _find_folder(dataset, key)
        if place is None:
            raise InputError(
                f"{dataset} cannot be sent to a machine that lacks it, perhaps because of links "
                "or empty folders in it: put it on every machine, under the same path"
            )
        return place
    yield from ensure_files(ReceivedFiles(describe(dataset), receive), None, never)
    return ImagesPlace(dataset, None)


def _find_folder(dataset: str, key: str) -> Stream[ImagesPlace | None]:
    """The folder with a key: at its own path, or in the cache."""
    home = home_of(_root(dataset), key)
    for name in (dataset, f"{FOLDER}{home}"):
        with suppress(InputError):  # there is none
            if (yield from images_key(name)) == key:
                with suppress(OSError):
                    os.utime(home.parent)  # used now
                return ImagesPlace(name, None)
    return None


def _folder(dataset: str) -> Stream[Folder]:
    return read_folder(_root(dataset))


def _root(dataset: str) -> Path:
    return Path(dataset.removeprefix(FOLDER)).expanduser()
