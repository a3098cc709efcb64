"""Data sets in memory: fetched once, checked by SHA-256 at every load, cut into three splits.

`load` and `fetch` are streams (see `core.events`). From the data to its splits:

    registry    what a data set is made of: its files, their SHA-256, where they come from
    idx         the format of those files
    sources/    where files come from, tried in turn, and the data folder they are kept in
    folders/    a user's folder of images: read, decoded once, kept within a budget
    inputs      the size, channels and normalization a user asks for
    splits      train, validation and test under a protocol
    batches     splits as tensors, batch by batch
    loading     `load` and `fetch`

Naming a data set loads no NumPy: everything else is imported when it is asked for.
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
