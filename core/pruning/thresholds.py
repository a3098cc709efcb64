"""How the threshold of a layer is chosen: its exact k-th smallest magnitude.

The rule is that of the reference experiment: importance is |w|, k = round(sparsity x elements), and
only weights strictly above the threshold are kept. `Profile.what_if` follows the same rule without
a tensor, so a change here needs one there.

Read as integers, the bits of nonnegative floats sort like the floats (IEEE 754), so magnitudes can
be selected digit by digit: count how often each upper 16 bits occur, find those of the k-th value,
and count the lower 16 bits among them. torch's `kthvalue` uses the same radix selection on a GPU
(`SortingRadixSelect.cuh`); on a CPU it partitions a copy of the values and their indices, which
takes three times the memory.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.pruning.plans import check_sparsity, prune_count

# Counting takes 2 x 65,536 counters, however few the values.
_FEW = 1 << 17
# As many values as fit a core's cache.
_CHUNK = 1 << 18
_MAGNITUDE = np.uint32(0x7FFF_FFFF)


def threshold(weight: Tensor, sparsity: float) -> float:
    """The k-th smallest magnitude of `weight`, k = round(sparsity x elements); 0.0 if k is 0.

    Raises InputError if the sparsity is not in [0, 1].
    """
    k = prune_count(check_sparsity(sparsity, "the layer"), weight.numel())
    return kth_magnitude(weight, k) if k else 0.0


def pruned_by(weight: Tensor, threshold: float) -> Tensor:
    """Which magnitudes are not above a threshold, without allocating the magnitudes.

    Those equal to the threshold are pruned too, so more than k may go. Zeros and NaN always go.
    """
    return (weight > threshold).logical_or_(weight < -threshold).logical_not_()


def kth_magnitude(weight: Tensor, k: int) -> float:
    """The `k`-th smallest magnitude of `weight`, of any shape: `abs().flatten().kthvalue(k)`.

    The weights may be of any floating dtype, on any device; large contiguous float32 tensors on the
    CPU are not copied. NaN sorts last. Raises ValueError unless k is from 1 to their number.
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
    """Count the upper halves, or the lower halves of values whose upper half is `upper`."""
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, bits.size, _CHUNK):
        chunk = bits[start : start + _CHUNK] & _MAGNITUDE
        halves = chunk >> 16 if upper is None else chunk[chunk >> 16 == upper] & 0xFFFF
        counts += np.bincount(halves, minlength=counts.size)
    return counts


def _digit(counts: npt.NDArray[np.int64], k: int) -> tuple[int, int]:
    """The digit of the `k`-th smallest value, and its rank among the values with that digit."""
    up_to = np.cumsum(counts)
    digit = int(np.searchsorted(up_to, k))
    return digit, k - int(up_to[digit] - counts[digit])
