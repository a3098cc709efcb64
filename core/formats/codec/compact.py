"""The contents of a compact file: a net's tensors as stored, and facts about the net."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BitLayout:
    """The bits of a data type: in all, and those of exponent and mantissa (0 for integers)."""

    bits: int
    exponent: int = 0
    mantissa: int = 0
    signed: bool = False

    @property
    def words(self) -> np.dtype[Any]:
        """The unsigned integer type of the same size."""
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
"""Largest number of steps from zero: integers up to this are exact in float32."""

CODEBOOK_DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """A tensor stored exactly: its type, one of `DTYPES`, and its bits as unsigned integers."""

    dtype: str
    words: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """A float32 tensor whose nonzero values come from a codebook.

    Attributes:
        dtype: type the values are stored in, one of `CODEBOOK_DTYPES`.
        values: 1 to 256 float32 values, ascending, distinct, finite, nonzero and exact in `dtype`.
        codes: int16 of the tensor's shape: 0 for zero, else 1 + the index into `values`.
    """

    dtype: str
    values: NDArray[np.float32]
    codes: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A float32 tensor whose values are the float32 products of integers and a step.

    Attributes:
        step: a positive float32; one that is exact in bfloat16 takes two bytes less.
        codes: the integers, int32 of the tensor's shape, from -2**24 to 2**24.
    """

    step: float
    codes: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Tied:
    """A tensor that is the same as the earlier entry named `to`."""

    to: str


Values = Raw | Codebook | Steps | Tied


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A tensor of a state_dict, as stored."""

    name: str
    shape: tuple[int, ...]
    values: Values


@dataclass(frozen=True, slots=True, eq=False)
class CompactFile:
    """A net as stored in a compact file: the zoo's name for it or "", tensors, and JSON facts."""

    model: str
    entries: tuple[Entry, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


def codes_of(values: Raw | Codebook | Steps) -> NDArray[Any]:
    """The array that is 0 exactly where the tensor is."""
    return values.words if isinstance(values, Raw) else values.codes


def dense(values: Raw | Codebook | Steps) -> tuple[str, NDArray[Any]]:
    """The type and bits of a tensor, the bits as unsigned integers."""
    match values:
        case Raw(dtype, words):
            return dtype, words
        case Codebook(_, book, codes):
            whole = np.concatenate([np.zeros(1, np.float32), book])
            return "float32", whole[codes].view(np.uint32)
        case Steps(step, codes):
            return "float32", (codes.astype(np.float32) * np.float32(step)).view(np.uint32)
