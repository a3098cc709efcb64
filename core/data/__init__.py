"""Data sets in memory: fetched once, checked by SHA-256 at every load, cut into three splits.

`load` and `fetch` are streams (see `core.events`).

    registry   what a data set consists of: files, their SHA-256, where they come from
    loading    `load` and `fetch`
    splits     train, validation and test under a protocol
    batches    a split as tensors, normalized a batch at a time
    inputs     what a person may set about the images: size, channels, normalization
    idx        the format of MNIST's files
    sources/   where files come from: cache, mirrors, package
    folders/   a folder of images by class: scanned, decoded once, kept on disk

Names of data sets are known without NumPy; the rest loads on demand.
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
