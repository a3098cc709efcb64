"""Tensors with few distinct values: a codebook found by k-means, or integer steps.

Han, Mao and Dally (2016), Deep Compression, section 3: the remaining weights of a layer share k
values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from core.errors import InputError

MAX_VALUES = 256
"""Most values that weights may share: 8 bits."""

_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class CodebookTensor:
    """A weight whose nonzeros share few values.

    Attributes:
        values: rising, float32 [k], each of them a bfloat16.
        codes: index into `values` of each nonzero, in flattened order, int64.
        places: indices of the nonzeros in the flattened weight, int64.
        shape: of the weight.
    """

    values: Tensor
    codes: Tensor
    places: Tensor
    shape: torch.Size

    @classmethod
    def of(cls, weight: Tensor, size: int) -> Self:
        """Find at most `size` values for the nonzeros of a weight, starting evenly spaced.

        Raises:
            InputError: the size is not from 1 to 256.
        """
        _check(size)
        places = weight.flatten().nonzero().flatten()
        found = weight.flatten()[places]
        values = _to_bfloat16(_k_means(found.double().sort().values, size))
        return cls(values, _nearest(found, values), places, weight.shape)

    def tensor(self) -> Tensor:
        """The weight with its shared values, float32."""
        flat = torch.zeros(self.shape.numel())
        flat[self.places] = self.values[self.codes]
        return flat.reshape(self.shape)

    def part(self, weight: Tensor) -> Tensor:
        """The elements of a tensor of the weight's shape that are rounded here."""
        return weight.flatten()[self.places]

    def requantized(self, exact: Tensor) -> Self:
        """The same for new numbers: each takes its nearest value, each value its numbers' mean.

        A value without numbers stays the same.
        """
        codes = _nearest(exact, self.values)
        counts = torch.bincount(codes, minlength=len(self.values))
        sums = torch.zeros(len(counts), dtype=torch.float64).index_add_(0, codes, exact.double())
        means = torch.where(counts > 0, sums / counts.clamp(min=1), self.values.double())
        return replace(self, values=_to_bfloat16(means), codes=codes)


@dataclass(frozen=True, eq=False)
class StepTensor:
    """A tensor in integer steps.

    Attributes:
        step: the length of one, a bfloat16.
        counts: how many, int32, of the tensor's shape.
    """

    step: float
    counts: Tensor

    @classmethod
    def by(cls, tensor: Tensor, part: float) -> Self:
        """Round to steps of a fraction of the root mean square."""
        step = part * float(tensor.double().square().mean().sqrt())
        return cls(_bfloat16_step(step), tensor).requantized(tensor)

    @classmethod
    def of(cls, weight: Tensor, size: int) -> Self:
        """Round a weight to at most `size` distinct nonzero values.

        Raises:
            InputError: the size is not from 1 to 256.
        """
        _check(size)
        furthest = float(weight.abs().max()) if weight.numel() else 0.0
        return cls(_bfloat16_step(furthest / (max(size, 2) // 2)), weight).requantized(weight)

    def tensor(self) -> Tensor:
        """The rounded tensor, float32."""
        return self.counts.float() * self.step

    def part(self, tensor: Tensor) -> Tensor:
        """The elements of a tensor of the same shape that are rounded here: all of them."""
        return tensor.clone()

    def requantized(self, exact: Tensor) -> Self:
        """The same for new numbers."""
        counts = (exact.double() / self.step).round()
        return replace(self, counts=counts.to(torch.int32))


QuantizedTensor = CodebookTensor | StepTensor


def _check(size: int) -> None:
    if not 1 <= size <= MAX_VALUES:
        raise InputError(f"{size} shared values per layer: expected 1 to {MAX_VALUES}")


def _to_bfloat16(values: Tensor) -> Tensor:
    """Rounded to what takes two bytes in a file."""
    return values.to(torch.bfloat16).float()


def _bfloat16_step(step: float) -> float:
    """Rounded likewise, and above zero: what is smaller than any such number is rounded away."""
    return max(float(_to_bfloat16(torch.tensor(step))), torch.finfo(torch.bfloat16).tiny)


def _nearest(found: Tensor, values: Tensor) -> Tensor:
    return torch.searchsorted((values[1:] + values[:-1]) / 2, found)


def _k_means(found: Tensor, size: int) -> Tensor:
    """Lloyd's iterations over rising numbers; a value without any of them is left out."""
    if not len(found):
        return found.new_zeros(1)
    sums = torch.cat([found.new_zeros(1), found.cumsum(0)])
    values = torch.linspace(float(found[0]), float(found[-1]), size, dtype=torch.float64)
    for _ in range(_ROUNDS):
        ends = torch.searchsorted(found, (values[1:] + values[:-1]) / 2)
        edges = torch.cat([ends.new_zeros(1), ends, ends.new_full((1,), len(found))])
        there = edges.diff() > 0
        moved = sums[edges].diff()[there] / edges.diff()[there]
        if moved.equal(values):
            break
        values = moved
    return values
