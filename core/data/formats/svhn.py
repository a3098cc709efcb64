"""SVHN, cropped digits: one MATLAB file for each split, with the digit 0 labeled 10."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.data.formats.matlab import read_arrays
from core.data.splits import Split


def read(paths: Sequence[Path]) -> tuple[Split, Split]:
    """The images of the training and the test file; raises KeyError if one lacks an array."""
    train, test = map(_split, paths)
    return train, test


def _split(path: Path) -> Split:
    arrays = read_arrays(path)
    images = arrays["X"].transpose(3, 2, 0, 1)  # from [H, W, C, N]
    return Split(np.ascontiguousarray(images), arrays["y"].reshape(-1).astype(np.int64) % 10)
