"""EMNIST: one archive with all its sets, in gzipped IDX; the images lie on their side."""

import gzip
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.formats import idx
from core.data.splits import Split

_SET = "emnist-balanced"


def read(paths: Sequence[Path]) -> tuple[Split, Split]:
    """The training and test images of the balanced set; raises KeyError if it is missing."""
    with zipfile.ZipFile(paths[0]) as archive:
        return _split(archive, "train"), _split(archive, "test")


def _split(archive: zipfile.ZipFile, name: str) -> Split:
    images = _read(archive, f"gzip/{_SET}-{name}-images-idx3-ubyte.gz")
    labels = _read(archive, f"gzip/{_SET}-{name}-labels-idx1-ubyte.gz")
    upright = np.ascontiguousarray(images.transpose(0, 2, 1))
    return Split(upright[:, None], labels.astype(np.int64))


def _read(archive: zipfile.ZipFile, member: str) -> NDArray[np.uint8]:
    return idx.decode(bytearray(gzip.decompress(archive.read(member))))
