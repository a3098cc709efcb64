"""The images and labels of a data set's files."""

import gzip
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.data.formats import cifar, emnist, idx, svhn
from core.data.registry import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    Description,
    Format,
)
from core.data.splits import Split
from core.errors import InputError
from core.system.error_text import reason

_DAMAGED = (
    EOFError,
    LookupError,
    OSError,
    RuntimeError,  # of zipfile
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the readers raise for a file that is not what it should be."""


def read_idx(files: Mapping[str, bytearray]) -> tuple[Split, Split]:
    """The training and test images of MNIST's files, by name."""
    train = _of_idx(files[TRAIN_IMAGES], files[TRAIN_LABELS])
    return train, _of_idx(files[TEST_IMAGES], files[TEST_LABELS])


def read_files(description: Description, paths: Sequence[Path]) -> tuple[Split, Split]:
    """The training and test images of a data set's files, in torchvision's order.

    Raises InputError if they cannot be read.
    """
    try:
        return _READERS[description.format](paths)
    except _DAMAGED as error:
        raise InputError(
            f"{paths[0]} is not {description.name} ({reason(error)}): delete it and fetch it again"
        ) from error


def _read_gzipped_idx(paths: Sequence[Path]) -> tuple[Split, Split]:
    """Images and labels for training, then for testing."""
    files = (bytearray(gzip.decompress(path.read_bytes())) for path in paths)
    train_images, train_labels, test_images, test_labels = files
    return _of_idx(train_images, train_labels), _of_idx(test_images, test_labels)


def _of_idx(images: bytearray, labels: bytearray) -> Split:
    return Split(idx.decode(images)[:, None], idx.decode(labels).astype(np.int64))


_READERS: Mapping[Format, Callable[[Sequence[Path]], tuple[Split, Split]]] = {
    "idx": _read_gzipped_idx,
    "emnist": emnist.read,
    "cifar": cifar.read,
    "svhn": svhn.read,
}
