"""The package's MNIST pickle, read by an unpickler that creates only arrays."""

import gzip
import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import idx
from core.data.registry import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, Files

_RECONSTRUCT = np.empty(0).__reduce__()[0]

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,  # its name in NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Looks up only what an array consists of."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"refused {module}.{name}: only arrays are allowed")
        return _ALLOWED[module, name]


def unpickle(packed: bytes) -> Any:
    """Read a gzipped pickle of arrays, of Python 2 or 3; raises UnpicklingError for others."""
    with gzip.open(io.BytesIO(packed)) as stream:
        return _ArrayUnpickler(stream, encoding="latin1").load()


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
