"""What a file holds, by its content; its name's ending does not matter. Loads no torch.

Sources: safetensors' README; torch/serialization.py, torch/jit, torch/export; onnx.proto.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import InputError
from core.system.files import check_readable

SAFETENSORS = "a safetensors file"
COMPACT = "a compact file"
ARCHIVE = "an archive of torch.save"
PICKLE = "a pickle"
ONNX = "an ONNX file"

TAKEN = (SAFETENSORS, COMPACT, ARCHIVE, PICKLE)
"""The kinds of files that can hold a state_dict."""

_SAVE = "torch.save({}, 'weights.pt')"


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is, in words, and how to save the weights it holds, if they can be."""

    name: str
    remedy: str = "expected weights: safetensors, a state_dict of torch.save, or a compact file"


def _lines(load: str, state: str) -> str:
    return f"save its weights in Python: {load}; {_SAVE.format(state)}"


def whole_model(path: Path, name: str, kind: str) -> str:
    """The message for a whole model of class `kind`, under dotted keys `name` in a pickle."""
    keys = "".join(f"[{key!r}]" for key in name.split(".") if key)
    load = f"net = torch.load({str(path)!r}, weights_only=False){keys}"
    return (
        f"{path} holds a whole pickled model ({kind}), and unpickling that would run its code; if "
        f"you trust it, {_lines(load, 'net.state_dict()')}"
    )


def check_weights_file(path: Path) -> str:
    """The kind of a file that can hold a state_dict, one of `TAKEN`.

    Raises InputError for any other, saying what it is and what to do.
    """
    kind = recognize(path)
    if kind.name not in TAKEN:
        raise InputError(f"{path} is {kind.name}: {kind.remedy}")
    return kind.name


def recognize(path: Path) -> FileKind:
    """What a file is; raises InputError if it is missing, empty, a folder or not readable."""
    check_readable(path, "weights file")
    try:
        with path.open("rb") as file:
            return _kind(file, path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _kind(file: BinaryIO, path: Path) -> FileKind:
    head = file.read(512)
    if head.startswith(b"PK\3\4"):
        return _archive_kind(path)
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return FileKind(PICKLE)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32:
        return FileKind(SAFETENSORS)
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if _is_onnx(file):
        return FileKind(ONNX, _onnx_lines(path))
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html")):
        return FileKind("a web page", "download the file itself again")
    return FileKind("an unknown kind of file")


def _archive_kind(path: Path) -> FileKind:
    """The kind of a zip archive, by the names in it."""
    name = repr(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            files = {one.partition("/")[2] or one for one in archive.namelist()}
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError):  # of zipfile
        return FileKind("a damaged zip archive", "copy or download it again")
    if "constants.pkl" in files:
        load = f"net = torch.jit.load({name})"
        return FileKind("a TorchScript program", _lines(load, "net.state_dict()"))
    if files & {"archive_format", "serialized_exported_program.json"}:
        load = f"program = torch.export.load({name})"
        return FileKind("a program of torch.export", _lines(load, "program.state_dict"))
    if "data.pkl" in files:
        return FileKind(ARCHIVE)
    if files and all(file.endswith(".npy") for file in files):
        load = f"arrays = numpy.load({name})"
        state = "{key: torch.from_numpy(arrays[key]) for key in arrays}"
        return FileKind("an archive of NumPy arrays", _lines(load, state))
    return FileKind("a zip archive without weights")


def _onnx_lines(path: Path) -> str:
    load = f"graph = onnx.load({str(path)!r}).graph"
    array = "torch.from_numpy(onnx.numpy_helper.to_array(t).copy())"
    return _lines(load, f"{{t.name: {array} for t in graph.initializer}}")


_STARTS = {
    b"\xf7FW": FileKind(COMPACT),
    b"\x89HDF\r\n\x1a\n": FileKind("an HDF5 file, as Keras writes"),
    b"\x93NUMPY": FileKind("a NumPy array"),
    b"GGUF": FileKind("a GGUF file"),
    b"\x1f\x8b": FileKind("a gzip archive", "unpack it first"),
    b"version https://git-lfs": FileKind(
        "a pointer of Git LFS, not the file it stands for", "get the file with: git lfs pull"
    ),
}
"""Kinds of files that start with a mark."""

_GRAPH, _LAST_FIELD = 7, 1000
"""The field of an ONNX model with its graph; all its fields have small numbers."""


def _is_onnx(file: BinaryIO) -> bool:
    """Whether a file is a protobuf message with a version first and a graph, to its last byte."""
    size, position, fields = file.seek(0, os.SEEK_END), 0, list[int]()
    while position < size and len(fields) < 1000:
        file.seek(position)
        data = file.read(20)
        key, used = _varint(data, 0)
        field, kind = key >> 3, key & 7
        value, end = _varint(data, used)
        if not 0 < field < _LAST_FIELD or kind not in (0, 2):
            return False
        fields.append(field)
        position += end + (value if kind == 2 else 0)
    return position == size and fields[:1] == [1] and _GRAPH in fields


def _varint(data: bytes, start: int) -> tuple[int, int]:
    """A protobuf integer, and where it ends."""
    value = 0
    for index, byte in enumerate(data[start : start + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, start + index + 1
    return 0, start
