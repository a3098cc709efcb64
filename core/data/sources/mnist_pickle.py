"""The package's MNIST pickle, read without running code."""

import gzip
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.formats import idx, pickled_arrays
from core.data.registry import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, Files


def unpickle(packed: bytes) -> Any:
    """Read a gzipped pickle of arrays, of Python 2 or 3; raises UnpicklingError for others."""
    with gzip.open(io.BytesIO(packed)) as stream:
        return pickled_arrays.unpickle(stream)


def mnist_files(packed: bytes) -> Files:
    """Convert MNIST's gzipped pickle to its files.

    It holds three pairs of images [N, 784] and labels [N], of 50,000, 10,000 (together the training
    images) and 10,000 (test); a pixel v is v/256 as float32.
    """
    (first, first_labels), (second, second_labels), (test, test_labels) = unpickle(packed)
    return {
        TRAIN_IMAGES: idx.encode(_pixels(first, second)),
        TRAIN_LABELS: idx.encode(np.concatenate([first_labels, second_labels]).astype(np.uint8)),
        TEST_IMAGES: idx.encode(_pixels(test)),
        TEST_LABELS: idx.encode(test_labels.astype(np.uint8)),
    }


def _pixels(*parts: NDArray[np.float32]) -> NDArray[np.uint8]:
    # v/256 is exact in float32, so nothing needs rounding.
    pixels = np.concatenate([(part * 256).astype(np.uint8) for part in parts])
    return pixels.reshape(-1, 28, 28)
