"""CIFAR-10 and CIFAR-100: an archive of pickled batches, read without running code."""

import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.formats.pickled_arrays import unpickle
from core.data.splits import Split

_TRAIN, _TEST = ("data_batch_", "train"), ("test",)
"""How the names of the batches of a split begin."""

_LABELS = ("labels", "fine_labels")

_SHAPE = (3, 32, 32)


def read(paths: Sequence[Path]) -> tuple[Split, Split]:
    """The training and test images of an archive; raises KeyError if one has no labels."""
    batches: dict[str, dict[str, Any]] = {}
    with tarfile.open(paths[0], "r|gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name.startswith(_TRAIN + _TEST) and (stream := archive.extractfile(member)):
                batches[name] = unpickle(stream)
    train, test = (
        [batches[name] for name in sorted(batches) if name.startswith(begins)]
        for begins in (_TRAIN, _TEST)
    )
    return _split(train), _split(test)


def _split(batches: Sequence[dict[str, Any]]) -> Split:
    images = np.concatenate([_images(batch["data"]) for batch in batches])
    key = next(key for key in (*_LABELS, "") if key in batches[0] or not key)
    return Split(images, np.concatenate([np.array(batch[key], np.int64) for batch in batches]))


def _images(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows [N, 3072], the channels one after the other, as images."""
    return data.reshape(-1, *_SHAPE)
