"""Tensors with few distinct values: a codebook found by k-means, or integer steps.

Han, Mao and Dally (2016), Deep Compression, section 3: the remaining weights of a layer share k
values.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from core.errors import InputError

MAX_VALUES = 256
"""Most values the weights of a layer may share: 8 bits."""

_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class CodebookTensor:
    """A weight whose nonzeros share few values.

    Attributes:
        values: float32 [k], ascending, exact in bfloat16.
        codes: int64, index into `values` of each nonzero, in flattened order.
        places: int64, indices of the nonzeros in the flattened weight.
        shape: the weight's shape.
    """

    values: Tensor
    codes: Tensor
    places: Tensor
    shape: torch.Size

    @classmethod
    def of(cls, weight: Tensor, size: int) -> Self:
        """Find at most `size` values by k-means; raises InputError unless it is 1 to 256."""
        _check(size)
        places = weight.flatten().nonzero().flatten()
        exact = weight.flatten()[places]
        values = _to_bfloat16(_k_means(exact.double().sort().values, size))
        return cls(values, _nearest(exact, values), places, weight.shape)

    def tensor(self) -> Tensor:
        """The weight with its shared values, float32."""
        flat = torch.zeros(self.shape.numel())
        flat[self.places] = self.values[self.codes]
        return flat.reshape(self.shape)

    def part(self, weight: Tensor) -> Tensor:
        """The elements of a tensor of the weight's shape that this one quantizes."""
        return weight.flatten()[self.places]

    def requantized(self, exact: Tensor) -> Self:
        """Requantize changed elements: each gets its nearest value, then values become means."""
        codes = _nearest(exact, self.values)
        counts = torch.bincount(codes, minlength=len(self.values))
        sums = torch.zeros(len(counts), dtype=torch.float64).index_add_(0, codes, exact.double())
        means = torch.where(counts > 0, sums / counts.clamp(min=1), self.values.double())
        return replace(self, values=_to_bfloat16(means), codes=codes)


@dataclass(frozen=True, eq=False)
class StepTensor:
    """A tensor of multiples, int32 `counts` of its shape, of a step that is exact in bfloat16."""

    step: float
    counts: Tensor

    @classmethod
    def by(cls, tensor: Tensor, fraction: float) -> Self:
        """Round to multiples of a fraction of the root mean square."""
        step = fraction * float(tensor.double().square().mean().sqrt())
        return cls(_bfloat16_step(step), tensor).requantized(tensor)

    @classmethod
    def of(cls, weight: Tensor, size: int) -> Self:
        """Round to about `size` nonzero values; raises InputError unless it is 1 to 256."""
        _check(size)
        furthest = float(weight.abs().max()) if weight.numel() else 0.0
        return cls(_bfloat16_step(furthest / (max(size, 2) // 2)), weight).requantized(weight)

    def tensor(self) -> Tensor:
        """The rounded tensor, float32."""
        return self.counts.float() * self.step

    def part(self, tensor: Tensor) -> Tensor:
        """The elements of a tensor of this shape that this one quantizes: a copy of all."""
        return tensor.clone()

    def requantized(self, exact: Tensor) -> Self:
        """Requantize changed elements."""
        return replace(self, counts=(exact.double() / self.step).round().to(torch.int32))


QuantizedTensor = CodebookTensor | StepTensor


def _check(size: int) -> None:
    if not 1 <= size <= MAX_VALUES:
        raise InputError(f"{size} shared values per layer: expected 1 to {MAX_VALUES}")


def _to_bfloat16(values: Tensor) -> Tensor:
    """Values rounded to bfloat16, which takes two bytes in a file."""
    return values.to(torch.bfloat16).float()


def _bfloat16_step(step: float) -> float:
    """A step rounded to bfloat16, and not to zero."""
    return max(float(_to_bfloat16(torch.tensor(step))), torch.finfo(torch.bfloat16).tiny)


def _nearest(exact: Tensor, values: Tensor) -> Tensor:
    return torch.searchsorted((values[1:] + values[:-1]) / 2, exact)


def _k_means(numbers: Tensor, size: int) -> Tensor:
    """Lloyd's algorithm on ascending numbers; values without numbers are dropped."""
    if not len(numbers):
        return numbers.new_zeros(1)
    sums = torch.cat([numbers.new_zeros(1), numbers.cumsum(0)])
    values = torch.linspace(float(numbers[0]), float(numbers[-1]), size, dtype=torch.float64)
    for _ in range(_ROUNDS):
        ends = torch.searchsorted(numbers, (values[1:] + values[:-1]) / 2)
        ends = torch.cat([ends.new_zeros(1), ends, ends.new_full((1,), len(numbers))])
        counts = ends.diff()
        means = sums[ends].diff()[counts > 0] / counts[counts > 0]
        if means.equal(values):
            break
        values = means
    return values
