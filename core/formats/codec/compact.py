"""The contents of a compact file: a net's tensors as stored, and a few facts about the net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BitLayout:
    """The bit layout of a data type.

    Attributes:
        bits: bits per value.
        exponent: bits of the exponent of a floating-point type; 0 for integers.
        mantissa: bits of its mantissa.
        signed: integers may be negative.
    """

    bits: int
    exponent: int = 0
    mantissa: int = 0
    signed: bool = False

    @property
    def words(self) -> np.dtype[Any]:
        """The unsigned type that holds its bits."""
        return np.dtype(f"u{self.bits // 8}")


DTYPES: Mapping[str, BitLayout] = {
    "float32": BitLayout(32, 8, 23),
    "float16": BitLayout(16, 5, 10),
    "bfloat16": BitLayout(16, 8, 7),
    "float64": BitLayout(64, 11, 52),
    "int64": BitLayout(64, signed=True),
    "int32": BitLayout(32, signed=True),
    "int16": BitLayout(16, signed=True),
    "int8": BitLayout(8, signed=True),
    "uint8": BitLayout(8),
    "bool": BitLayout(8),
}
"""The types a tensor may have, in the order of their numbers in a file."""

MAX_STEPS = 1 << 24
"""Most steps from zero: integers up to this are exact in float32."""

CODEBOOK_DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Raw values, every bit.

    Attributes:
        dtype: one of `DTYPES`.
        words: the bits of the values, unsigned, in the tensor's shape; 0 where the mask is 0.
    """

    dtype: str
    words: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """A float32 tensor whose nonzero values come from a codebook.

    Attributes:
        dtype: type the values are stored in, one of `CODEBOOK_DTYPES`.
        values: the 1 to 256 values in float32, ascending, distinct, finite and none of them zero;
            each is one of `dtype` exactly.
        codes: int16 in the tensor's shape: 0 for a zero, else 1 + the place among `values`.
    """

    dtype: str
    values: NDArray[np.float32]
    codes: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A float32 tensor whose values are integer multiples of a step.

    Attributes:
        step: a positive float32; one of bfloat16 takes two bytes less in a file.
        codes: int32 in the tensor's shape, at most 2**24 either side of zero; a value is the
            product in float32.
    """

    step: float
    codes: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Tied:
    """A tensor that is the same as an earlier entry.

    Attributes:
        to: the name of that entry.
    """

    to: str


Values = Raw | Codebook | Steps | Tied


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A tensor of a state_dict.

    Attributes:
        name: its name there.
        shape: its shape.
        values: how it is stored.
    """

    name: str
    shape: tuple[int, ...]
    values: Values


@dataclass(frozen=True, slots=True, eq=False)
class CompactFile:
    """A net as stored in a compact file.

    Attributes:
        model: the name of a net of the zoo; empty for one of the user's own.
        entries: the tensors of its state_dict, in order.
        facts: other facts about it, such as the data set, as plain JSON.
    """

    model: str
    entries: tuple[Entry, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


def codes_of(values: Raw | Codebook | Steps) -> NDArray[Any]:
    """The array that has a 0 wherever the tensor is zero."""
    return values.words if isinstance(values, Raw) else values.codes


def dense(values: Raw | Codebook | Steps) -> tuple[str, NDArray[Any]]:
    """The type of a tensor, and the bits of its values, unsigned."""
    match values:
        case Raw(dtype, words):
            return dtype, words
        case Codebook(_, book, codes):
            whole = np.concatenate([np.zeros(1, np.float32), book])
            return "float32", whole[codes].view(np.uint32)
        case Steps(step, codes):
            return "float32", (codes.astype(np.float32) * np.float32(step)).view(np.uint32)
