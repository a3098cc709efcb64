"""The containers of torch.save: a pickle, and the bytes of the storages it refers to.

Since torch 1.6 a zip archive holds both: `NAME/data.pkl` and `NAME/data/KEY`. Before, one file
held five pickles (a magic number, a version, facts about the machine, the object, the keys of its
storages), then for each storage its count of values as 8 bytes, and the values. The same function
writes the small files inside a plain pickle of tensors.
Source: torch/serialization.py.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import torch
from torch import Tensor

from core.formats.torch_files.pickle_data import Global, Persistent, read_pickle
from core.system.untrusted_json import FaultError

_MAGIC = 0x1950A86A20F9469CFC6C

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "QInt8Storage": torch.qint8,
    "QUInt8Storage": torch.quint8,
    "QInt32Storage": torch.qint32,
    "UntypedStorage": torch.uint8,
}
"""The type of the values in each class of storage, on any device."""


class StorageId(NamedTuple):
    """A storage as a pickle refers to it: its key in the file, and the type of its values."""

    key: str
    dtype: torch.dtype

    @classmethod
    def of(cls, value: object) -> StorageId:
        """The storage of a persistent id; raises FaultError if it is none."""
        key = value.id if isinstance(value, Persistent) else None
        match key:
            case ("storage", Global(), str(), _, int(), *view) if not any(view):
                name = key[1].name.rpartition(".")[2]
                if name in _STORAGES:
                    return cls(key[2], _STORAGES[name])
        raise FaultError("its pickle refers to something that is not a storage")


class Storages(Protocol):
    """The storages of a file, by key."""

    def size(self, key: str) -> int:
        """The bytes of a storage; raises FaultError if there is none of this key."""
        ...

    def read(self, key: str) -> Tensor:
        """The bytes [N] of a storage; raises FaultError if they are damaged."""
        ...


@dataclass(frozen=True, slots=True)
class Content:
    """The object in a file as plain data, see `pickle_data`, and the storages of its tensors."""

    root: Any
    storages: Storages


@contextmanager
def open_archive(path: Path) -> Iterator[Content]:
    """Open an archive of torch.save; raises FaultError if it is damaged."""
    with _zip_faults():
        archive = zipfile.ZipFile(path)
    with archive:
        names = [name for name in archive.namelist() if name.partition("/")[2] == "data.pkl"]
        if len(names) != 1:
            raise FaultError(f"it holds {len(names)} objects, expected one")
        storages = _ArchiveStorages(archive, names[0].removesuffix("data.pkl"))
        data = storages.record("data.pkl").numpy().tobytes()
        yield Content(read_pickle(BytesIO(data), len(data)).root, storages)


_DAMAGED = (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, struct.error)
"""What zipfile raises, depending on the damage."""


@contextmanager
def _zip_faults() -> Iterator[None]:
    """Turn what zipfile raises for a damaged archive into a FaultError."""
    try:
        yield
    except _DAMAGED as error:
        raise FaultError(f"it is damaged ({' '.join(str(error).split())})") from error


@contextmanager
def open_pickle(path: Path) -> Iterator[Content]:
    """Open a file of torch.save before torch 1.6, or a plain pickle; see `open_archive`."""
    with path.open("rb") as file:
        yield read_legacy(file, path.stat().st_size)


def read_legacy(file: BinaryIO, size: int) -> Content:
    """The contents of a file that is no archive; its storages are read while it is open."""
    root = read_pickle(file, size).root
    if root != _MAGIC:
        return Content(root, _FileStorages(file, {}))
    for _ in ("version", "facts about the machine"):
        read_pickle(file, size)
    root, persistent = read_pickle(file, size)
    outside = (one for one in persistent if not _is_class(one))
    dtypes = {storage.key: storage.dtype for storage in map(StorageId.of, outside)}
    places: dict[str, tuple[int, int]] = {}
    keys = read_pickle(file, size).root
    for key in keys if isinstance(keys, list) else [None]:
        if not isinstance(key, str) or key not in dtypes:
            raise FaultError("it holds a storage that no tensor uses")
        length = int.from_bytes(file.read(8), "little") * dtypes[key].itemsize
        start = file.tell()
        if start + length > size:
            raise FaultError("it is truncated")
        places[key] = (start, length)
        file.seek(start + length)
    return Content(root, _FileStorages(file, places))


def _is_class(value: Persistent) -> bool:
    """Whether an id stands for the class of a module, which such a file has with its source."""
    return isinstance(value.id, tuple) and value.id[:1] == ("module",)


class _ArchiveStorages:
    """The records of an archive, whose checksums are checked."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._archive, self._folder = archive, folder
        self._read: dict[str, Tensor] = {}
        order = "byteorder"
        if folder + order in archive.namelist() and self.record(order).tolist() != [*b"little"]:
            raise FaultError("its numbers have the byte order of another machine")

    def size(self, key: str) -> int:
        return self._info(f"data/{key}").file_size

    def read(self, key: str) -> Tensor:
        if key not in self._read:
            self._read[key] = self.record(f"data/{key}")
        return self._read[key]

    def record(self, name: str) -> Tensor:
        """The bytes [N] of a record."""
        info = self._info(name)
        with _zip_faults(), self._archive.open(info) as file:
            return _bytes_of(file, info.file_size)

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            info = self._archive.getinfo(self._folder + name)
        except KeyError as error:
            raise FaultError(f"it lacks the record {name}") from error
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise FaultError("it is compressed, which torch.save never does")
        if not info.CRC:  # not computed: see torch.serialization.set_crc32_options
            info = copy(info)
            del info.CRC
        return info


class _FileStorages:
    """Parts of a file, by key: where each starts, and its bytes."""

    def __init__(self, file: BinaryIO, places: Mapping[str, tuple[int, int]]) -> None:
        self._file, self._places = file, places
        self._read: dict[str, Tensor] = {}

    def size(self, key: str) -> int:
        if key not in self._places:
            raise FaultError("it lacks a storage")
        return self._places[key][1]

    def read(self, key: str) -> Tensor:
        if key not in self._read:
            length = self.size(key)
            self._file.seek(self._places[key][0])
            self._read[key] = _bytes_of(self._file, length)
        return self._read[key]


def _bytes_of(file: Any, count: int) -> Tensor:
    """The next bytes [N] of a file, in memory as torch aligns it."""
    values = torch.empty(count, dtype=torch.uint8)
    view, done = values.numpy().data, 0
    while done < count:
        read = file.readinto(view[done : done + (1 << 20)])
        if not read:
            raise FaultError("it is truncated")
        done += read
    file.read(1)  # an archive checks the checksum at the end
    return values
