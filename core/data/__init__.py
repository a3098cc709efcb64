"""Data sets: downloaded once, verified by SHA-256 at every load, split in three.

`load` and `fetch` are streams (see `core.events`).

    registry   the known data sets: files, SHA-256, sources
    loading    `load` and `fetch`
    splits     train, validation and test under a protocol
    batches    a split as tensors, normalized one batch at a time
    inputs     image settings: size, channels, normalization
    idx        the format of MNIST's files
    sources/   where files come from: cache, mirrors, package
    folders/   image folders by class, decoded once and cached on disk

Names of data sets are checked without NumPy; everything else loads on demand.
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

_MODULES = {
    "Dataset": "splits",
    "Split": "splits",
    "default_data_dir": "loading",
    "fetch": "loading",
    "load": "loading",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
