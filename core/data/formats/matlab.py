"""Real arrays of numbers in a MATLAB file of level 5.

SciPy reads such files, too, but is a large dependency for two files. The format is MathWorks'
"MAT-File Format", version 5: a header of 128 bytes, then elements, each a tag with
type and size followed by the data, padded to eight bytes. An array is an element of elements:
flags, shape, name, and the numbers in column-major order, in the smallest type that holds them. An
element may be compressed as a whole.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
"""NumPy's names of the types of numbers."""

_MATRIX, _COMPRESSED = 14, 15

_HEADER, _TAG = 128, 8


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of numbers in a file by name; others are left out.

    Raises:
        ValueError: it is not such a file, or is damaged.
    """
    data = path.read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(data[_HEADER - 2 : _HEADER])
    if order is None:
        raise ValueError("not a MATLAB file of level 5")
    arrays = {}
    for kind, content in _elements(memoryview(data)[_HEADER:], order):
        if kind == _COMPRESSED:
            ((kind, content),) = _elements(memoryview(zlib.decompress(content)), order)
        if kind == _MATRIX and (named := _array(content, order)):
            arrays[named[0]] = named[1]
    return arrays


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """The type and content of each element in turn."""
    at = 0
    while at + _TAG <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start = at + _TAG
        following = start + (size if kind == _COMPRESSED else -(-size // _TAG) * _TAG)
        if kind >> 16:  # a small element: its size beside its type, its data in the tag
            kind, size, start, following = kind & 0xFFFF, kind >> 16, start - _TAG // 2, start
        if start + size > len(data):
            raise ValueError(f"an element of {size:,} bytes exceeds the file")
        yield kind, data[start : start + size]
        at = following


def _array(content: memoryview, order: str) -> tuple[str, Array] | None:
    """The name and numbers of an array; None if it is complex, sparse, text or a structure."""
    parts = list(_elements(content, order))
    if len(parts) != 4 or any(kind not in _NUMBERS for kind, _ in parts):
        return None
    shape, name, values = (np.frombuffer(part, order + _NUMBERS[kind]) for kind, part in parts[1:])
    return bytes(name).decode(), values.reshape(shape, order="F")
