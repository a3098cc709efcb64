"""Small files in the formats of the data sets that only torchvision knows, and their pixels."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torchvision import datasets

from core.data.formats import idx
from core.data.registry import DATASETS
from core.data.splits import Split

Contents = dict[str, bytes]
"""The contents of files by name."""

TRAIN, TEST = 260, 40
"""Images, enough to hold one of every class of most sets out for validation."""


@dataclass(frozen=True)
class Small:
    """A small data set in the place of a real one."""

    name: str
    train: Split
    test: Split
    files: Contents

    def put_in_place(self, patch: pytest.MonkeyPatch, address: str) -> None:
        """Make torchvision's class name these files on a server."""
        source = getattr(datasets, DATASETS[self.name].folder)
        for name, value in _ATTRIBUTES[self.name](self.files, address).items():
            patch.setattr(source, name, value)


def small(name: str) -> Small:
    """A data set with its number of classes, and with random pixels."""
    known = DATASETS[name]
    shape = (known.channels, known.image_size, known.image_size)
    train, test = (_drawn(count, shape, known.classes) for count in (TRAIN, TEST))
    return Small(name, train, test, _FILES[name](train, test))


def _drawn(count: int, shape: tuple[int, int, int], classes: int) -> Split:
    random = np.random.default_rng([count, classes])
    images = random.integers(0, 256, (count, *shape), np.uint8)
    return Split(images, (np.arange(count) % classes).astype(np.int64))


class Python2Pickler(pickle._Pickler):
    """Writes text as byte strings, as Python 2 did when it wrote CIFAR's batches."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[misc]

    def _string(self, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode("latin1")
        self.write(b"T" + struct.pack("<i", len(data)) + data)  # type: ignore[attr-defined]
        self.memoize(text)  # type: ignore[attr-defined]

    dispatch[str] = dispatch[bytes] = _string


def pickled(value: object) -> bytes:
    stream = io.BytesIO()
    Python2Pickler(stream, protocol=2).dump(value)
    return stream.getvalue()


def tar_gz(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _cifar(
    train: Split, test: Split, folder: str, labels: str, parts: Mapping[str, slice]
) -> bytes:
    members = {f"{folder}/readme.html": b"<html>", f"{folder}/batches.meta": pickled({"names": []})}
    for name, part in parts.items():
        split = test if name.startswith("test") else train
        batch: dict[str, Any] = {
            "data": split.images[part].reshape(-1, 3072),
            labels: split.labels[part].tolist(),
            "batch_label": "training batch 1 of 5",
            "filenames": ["a.png"] * len(split.labels[part]),
        }
        members[f"{folder}/{name}"] = pickled(batch)
    return tar_gz(members)


def _cifar10(train: Split, test: Split) -> Contents:
    size = TRAIN // 5
    parts = {f"data_batch_{n + 1}": slice(size * n, size * (n + 1)) for n in (4, 0, 1, 2, 3)}
    parts["test_batch"] = slice(None)
    return {"cifar-10-python.tar.gz": _cifar(train, test, "cifar-10-batches-py", "labels", parts)}


def _cifar100(train: Split, test: Split) -> Contents:
    parts = {"test": slice(None), "train": slice(None)}
    archive = _cifar(train, test, "cifar-100-python", "fine_labels", parts)
    return {"cifar-100-python.tar.gz": archive}


def _gzipped(values: NDArray[Any]) -> bytes:
    return gzip.compress(idx.encode(values.astype(np.uint8)), compresslevel=1)


def _kmnist(train: Split, test: Split) -> Contents:
    return {
        "train-images-idx3-ubyte.gz": _gzipped(train.images[:, 0]),
        "train-labels-idx1-ubyte.gz": _gzipped(train.labels),
        "t10k-images-idx3-ubyte.gz": _gzipped(test.images[:, 0]),
        "t10k-labels-idx1-ubyte.gz": _gzipped(test.labels),
    }


def _emnist(train: Split, test: Split) -> Contents:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("gzip/emnist-letters-train-labels-idx1-ubyte.gz", b"")
        for name, split in (("train", train), ("test", test)):
            begin = f"gzip/emnist-balanced-{name}"
            on_side = split.images[:, 0].transpose(0, 2, 1)
            archive.writestr(f"{begin}-images-idx3-ubyte.gz", _gzipped(on_side))
            archive.writestr(f"{begin}-labels-idx1-ubyte.gz", _gzipped(split.labels))
    return {"gzip.zip": stream.getvalue()}


_CODES = {
    "i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13,
}  # fmt: skip
"""MATLAB's numbers of the types of values."""


def _element(order: str, kind: int, data: bytes) -> bytes:
    if 0 < len(data) <= 4:
        words = len(data) << 16 | kind
        return struct.pack(f"{order}I", words) + data.ljust(4, b"\0")
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def matlab(arrays: Mapping[str, NDArray[Any]], *, compressed: bool, order: str = "<") -> bytes:
    """A MATLAB file of level 5."""
    data = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}HH", 0x0100, 0x4D49)
    for name, array in arrays.items():
        values = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
        shape = struct.pack(f"{order}{array.ndim}i", *array.shape)
        matrix = b"".join(
            (
                _element(order, 6, struct.pack(f"{order}II", 9, 0)),
                _element(order, 5, shape),
                _element(order, 1, name.encode()),
                _element(order, _CODES[array.dtype.str[1:]], values),
            )
        )
        whole = struct.pack(f"{order}II", 14, len(matrix)) + matrix
        if compressed:
            packed = zlib.compress(whole, 1)
            whole = struct.pack(f"{order}II", 15, len(packed)) + packed
        data += whole
    return data


def _svhn(train: Split, test: Split) -> Contents:
    return {
        f"{name}_32x32.mat": matlab(
            {
                "X": np.ascontiguousarray(split.images.transpose(2, 3, 1, 0)),
                "y": np.where(split.labels == 0, 10, split.labels)[:, None].astype(np.uint8),
            },
            compressed=True,
        )
        for name, split in (("train", train), ("test", test))
    }


_FILES: Mapping[str, Callable[[Split, Split], Contents]] = {
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "kmnist": _kmnist,
    "emnist-balanced": _emnist,
    "svhn": _svhn,
}

NAMES = tuple(_FILES)


def _digest(data: bytes) -> str:
    return md5(data).hexdigest()


def _of_archive(files: Contents, address: str) -> dict[str, Any]:
    ((name, data),) = files.items()
    return {"url": f"{address}{name}", "filename": name, "tgz_md5": _digest(data)}


_ATTRIBUTES: Mapping[str, Callable[[Contents, str], dict[str, Any]]] = {
    "cifar10": _of_archive,
    "cifar100": _of_archive,
    "kmnist": lambda files, address: {
        "mirrors": [address],
        "resources": [(name, _digest(data)) for name, data in files.items()],
    },
    "emnist-balanced": lambda files, address: {
        "url": f"{address}gzip.zip",
        "md5": _digest(files["gzip.zip"]),
    },
    "svhn": lambda files, address: {
        "split_list": {
            name.partition("_")[0]: [f"{address}{name}", name, _digest(data)]
            for name, data in files.items()
        }
    },
}
"""The attributes of torchvision's classes for files on a server."""
