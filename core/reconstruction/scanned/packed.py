"""Tensors with many zeros, packed: the points of a scan are several copies of a net's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Packed:
    """A tensor on the CPU whose zeros take a bit each.

    Attributes:
        values: its nonzeros, in order.
        bits: which elements they are, eight to a byte.
        shape: its shape.
    """

    values: Tensor
    bits: npt.NDArray[np.uint8]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Tensor) -> Packed:
        """Pack a tensor.

        Example:
            >>> Packed.of(torch.tensor([[0.0, 2.0], [0.0, 0.5]])).values
            tensor([2.0000, 0.5000])
        """
        kept = tensor != 0
        return cls(tensor[kept], np.packbits(kept.numpy()), tuple(tensor.shape))

    def unpacked(self) -> Tensor:
        """The tensor again; -0.0 is 0.0."""
        result = torch.zeros(self.shape, dtype=self.values.dtype)
        bits = np.unpackbits(self.bits, count=result.numel())
        result[torch.from_numpy(bits).bool().view(self.shape)] = self.values
        return result
