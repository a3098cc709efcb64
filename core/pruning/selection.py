"""The k-th smallest magnitude of a tensor, exactly, with no copy of it.

The bits of floats that are not negative, read as integers, are in the floats' own order (IEEE
754), so magnitudes can be selected digit by digit: count how many there are of each upper half,
find the half in which the k-th lies, and count the lower halves of those. It is the radix
selection by which torch's `kthvalue` works on a GPU (`SortingRadixSelect.cuh`) with digits of 16
bits; on a CPU `kthvalue` partitions a copy of the values and of their indices, thrice the memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# Counting takes twice 65,536 counters, however few the values.
_FEW = 1 << 17
# As many as stay in a core's cache while they are looked at.
_CHUNK = 1 << 18
_MAGNITUDE = np.uint32(0x7FFF_FFFF)


def kth_magnitude(weight: Tensor, k: int) -> float:
    """The `k`-th smallest magnitude of `weight`, of any shape: `abs().flatten().kthvalue(k)`.

    Args:
        weight: of any floating dtype, on any device; it takes no copy of many that are contiguous
            float32 on the CPU. NaN counts as the largest.
        k: from 1 to the number of elements.

    Raises:
        ValueError: there is no `k`-th.
    """
    flat = weight.detach().flatten()
    if not 1 <= k <= flat.numel():
        raise ValueError(f"k is {k}: expected 1 to {flat.numel()}, the number of weights")
    if not flat.is_cuda:
        flat = flat.cpu()  # mps has no kthvalue before torch 2.9
    if flat.is_cuda or flat.numel() < _FEW or flat.dtype != torch.float32:
        return float(flat.abs().kthvalue(k).values)
    return _radix_select(flat.numpy().view(np.uint32), k)


def _radix_select(bits: npt.NDArray[np.uint32], k: int) -> float:
    upper, k = _digit(_counts(bits, None), k)
    lower, _ = _digit(_counts(bits, upper), k)
    return float(np.uint32(upper << 16 | lower).view(np.float32))


def _counts(bits: npt.NDArray[np.uint32], upper: int | None) -> npt.NDArray[np.int64]:
    """How often each upper half occurs, or each lower half of those whose upper half is `upper`."""
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, bits.size, _CHUNK):
        chunk = bits[start : start + _CHUNK] & _MAGNITUDE
        halves = chunk >> 16 if upper is None else chunk[chunk >> 16 == upper] & 0xFFFF
        counts += np.bincount(halves, minlength=counts.size)
    return counts


def _digit(counts: npt.NDArray[np.int64], k: int) -> tuple[int, int]:
    """The digit of the `k`-th smallest, and which one it is among those that share the digit."""
    up_to = np.cumsum(counts)
    digit = int(np.searchsorted(up_to, k))
    return digit, k - int(up_to[digit] - counts[digit])
