"""A tensor before its values: its name, its shape and how it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, prod
from typing import NamedTuple

from core.formats.codec.compact import Codebook, Entry, Raw, Steps, Tied

RAW, CODEBOOK, STEPS, TIED = range(4)
"""Kinds of tensors, by their numbers in a file."""

_IMAGE = 64
"""Fewest inputs of a first linear layer for them to count as a square image."""


class Geometry(NamedTuple):
    """A tensor as filters over channels of height times width places."""

    rows: int
    channels: int
    height: int
    width: int

    @property
    def columns(self) -> int:
        """Values in a row."""
        return self.channels * self.height * self.width


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor without its values.

    `kind` is `RAW`, `CODEBOOK`, `STEPS` or `TIED`, `dtype` the type of its raw values or codebook,
    and `tied` the index of the entry it is tied to.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    dtype: str = ""
    tied: int = -1

    @property
    def is_weight(self) -> bool:
        """Whether it has rows and columns; other tensors count as biases."""
        return len(self.shape) > 1


def tensor_info(entry: Entry, names: Sequence[str]) -> TensorInfo:
    """An entry without its values; `names` are those of all entries."""
    match entry.values:
        case Raw(dtype, _):
            return TensorInfo(entry.name, entry.shape, RAW, dtype)
        case Codebook(dtype, _, _):
            return TensorInfo(entry.name, entry.shape, CODEBOOK, dtype)
        case Steps():
            return TensorInfo(entry.name, entry.shape, STEPS)
        case Tied(to):
            return TensorInfo(entry.name, entry.shape, TIED, tied=names.index(to))


def geometry_of(shape: tuple[int, ...], before: int) -> Geometry:
    """The geometry of a tensor of this shape.

    `before` is the number of rows of the previous weight, 0 for none: a linear layer with several
    inputs per such row, for example the pixels of a convolution's channel, has them as its places.
    """
    match shape:
        case () | (_,):
            return Geometry(prod(shape), 1, 1, 1)
        case (rows, inputs):
            if before and inputs % before == 0:
                return Geometry(rows, before, *_square(inputs // before))
            if not before and inputs >= _IMAGE and isqrt(inputs) ** 2 == inputs:
                return Geometry(rows, 1, *_square(inputs))
            return Geometry(rows, inputs, 1, 1)
        case _:
            return Geometry(shape[0], shape[1], prod(shape[2:-1]), shape[-1])


def _square(places: int) -> tuple[int, int]:
    side = isqrt(places)
    return (side, side) if side * side == places else (1, places)
