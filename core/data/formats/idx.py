"""IDX, the format of MNIST's files: a magic number, the shape, the values."""

import struct

import numpy as np
from numpy.typing import NDArray

_UNSIGNED_BYTE = 8


def encode(values: NDArray[np.uint8]) -> bytes:
    """Encode an array of any number of dimensions as IDX."""
    header = struct.pack(f">4B{values.ndim}I", 0, 0, _UNSIGNED_BYTE, values.ndim, *values.shape)
    return header + values.tobytes()


def decode(data: bytearray) -> NDArray[np.uint8]:
    """View the contents of a well-formed IDX file as an array."""
    dimensions = data[3]
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
