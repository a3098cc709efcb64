"""Few values for many weights: a codebook for each layer, found by k-means.

Han, Mao and Dally (2016), Deep Compression, section 3: the weights of a layer that are left share
k values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import InputError

MOST = 256
"""Values in a codebook: 8 bits."""

_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class Codebook:
    """The values that the nonzeros of a weight share.

    Attributes:
        values: rising, float32 [k].
        codes: which of them each nonzero has, in the order of the flattened weight, int64.
        places: where the nonzeros are in it, int64.
        shape: of the weight.
    """

    values: Tensor
    codes: Tensor
    places: Tensor
    shape: torch.Size

    @classmethod
    def of(cls, weight: Tensor, size: int) -> Codebook:
        """Find at most `size` values for the nonzeros of a weight, beginning with even ones.

        Raises:
            InputError: the size is not from 1 to 256.
        """
        if not 1 <= size <= MOST:
            raise InputError(f"a codebook of {size} values: expected from 1 to {MOST}")
        places = weight.flatten().nonzero().flatten()
        found = weight.flatten()[places]
        values = _k_means(found.double().sort().values, size).float()
        return cls(values, nearest(found, values), places, weight.shape)

    def weight(self) -> Tensor:
        """The weight with its shared values, float32."""
        flat = torch.zeros(self.shape.numel())
        flat[self.places] = self.values[self.codes]
        return flat.reshape(self.shape)


def nearest(found: Tensor, values: Tensor) -> Tensor:
    """Which of some rising values is the nearest to each number."""
    return torch.searchsorted((values[1:] + values[:-1]) / 2, found)


def means(found: Tensor, codes: Tensor, values: Tensor) -> Tensor:
    """The mean of the numbers of each code; the value itself where a code has none."""
    counts = torch.bincount(codes, minlength=len(values))
    sums = torch.zeros(len(values), dtype=torch.float64).index_add_(0, codes, found.double())
    return torch.where(counts > 0, sums / counts.clamp(min=1), values.double()).float()


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
