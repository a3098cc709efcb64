"""What a sparsity would do to a layer, computed from sorted magnitudes without any tensor.

A `Profile` sorts a layer's weights once, in a worker thread. After that, a change of sparsity costs
a few binary searches, for the threshold, the number of weights kept and their histogram.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.nets.footprint import Footprint
from core.pruning.plans import prune_count

if TYPE_CHECKING:
    from core.nets.layers import Layer

Floats = npt.NDArray[np.float32]

# Weights processed at a time: they fit a core's cache, and no other thread waits long.
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The effect of a sparsity on a layer.

    Attributes:
        threshold: the largest magnitude pruned; 0.0 if none has to be.
        kept: number of weights strictly above it.
    """

    sparsity: float
    threshold: float
    kept: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Nonzero weights of a layer in equal bins with `edges` [bins + 1].

    `before` and `after` pruning, [bins] each.
    """

    edges: npt.NDArray[np.float64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Profile:
    """One layer's weights, sorted by magnitude: all that a what-if needs.

    Attributes:
        negative, positive: magnitudes of the weights of that sign, ascending.
    """

    layer: Layer
    negative: Floats
    positive: Floats
    # When one of many layers changes, the results of the others are requested again.
    _latest: WhatIf | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, layer: Layer, weight: Floats) -> Profile:
        """Sort the weights of a layer, of any shape; takes memory for one copy of them."""
        flat = weight.reshape(-1)
        return cls(layer, _ascending(flat, np.less), _ascending(flat, np.greater))

    @property
    def nonzero(self) -> int:
        """The number of nonzero weights, the most the layer can keep."""
        return self.negative.size + self.positive.size

    @property
    def zeros(self) -> int:
        """The number of weights that are exactly zero."""
        return self.layer.elements - self.nonzero

    @cached_property
    def floor(self) -> float:
        """The sparsity the weights already have; a plan cannot go below it."""
        return self.zeros / self.layer.elements

    @cached_property
    def largest(self) -> float:
        """The largest magnitude; 0.0 if all weights are zero."""
        sides = self.negative, self.positive
        return max((float(side[-1]) for side in sides if side.size), default=0.0)

    def what_if(self, sparsity: float) -> WhatIf:
        """The effect of a sparsity in [0, 1], with the threshold of `core.pruning.thresholds`."""
        latest = self._latest
        if latest is None or latest.sparsity != sparsity:
            latest = self._compute(sparsity)
            object.__setattr__(self, "_latest", latest)
        return latest

    def _compute(self, sparsity: float) -> WhatIf:
        k = prune_count(sparsity, self.layer.elements)
        threshold = self._magnitude_at(k - self.zeros) if k > self.zeros else 0.0
        value, sides = np.float32(threshold), (self.negative, self.positive)
        kept = sum(side.size - int(np.searchsorted(side, value, side="right")) for side in sides)
        return WhatIf(sparsity, threshold, kept)

    def footprint(self, what_if: WhatIf) -> Footprint:
        """The layer's parameters and nonzero parameters under a what-if, bias included."""
        layer = self.layer
        return Footprint(layer.parameters, what_if.kept + layer.parameters - layer.elements)

    def histogram(self, what_if: WhatIf, bins: int) -> Histogram:
        """Count nonzero weights before and after pruning in `bins` equal bins over +-`largest`."""
        reach = self.largest or 1.0
        edges = np.linspace(-reach, reach, bins + 1)
        return Histogram(edges, self._count(edges, 0.0), self._count(edges, what_if.threshold))

    def _magnitude_at(self, rank: int) -> float:
        """The `rank`-th smallest magnitude (1-based) of the two sorted sides, by bisection.

        Taking i values from the short side and rank - i from the long one is right when neither
        side's last value taken exceeds the other's first value left.
        """
        short, long = sorted((self.negative, self.positive), key=len)
        low, high = max(0, rank - long.size), min(rank, short.size)
        while low < high:
            middle = (low + high) // 2
            if short[middle] < long[rank - middle - 1]:
                low = middle + 1
            else:
                high = middle
        taken = [short[low - 1]] if low else []
        taken += [long[rank - low - 1]] if rank > low else []
        return float(max(taken))

    def _count(self, edges: npt.NDArray[np.float64], threshold: float) -> npt.NDArray[np.int64]:
        """Count the weights beyond the threshold in each bin."""
        below = np.float32(threshold)

        def up_to(side: Floats, distance: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
            gone = np.searchsorted(side, below, side="right")
            rank = np.searchsorted(side, distance.astype(np.float32), side="right")
            counts: npt.NDArray[np.int64] = np.maximum(rank - gone, 0)
            return counts

        rising = up_to(self.positive, np.clip(edges, 0, None))
        falling = up_to(self.negative, np.clip(-edges, 0, None))
        return np.asarray(np.diff(rising) - np.diff(falling), dtype=np.int64)


def _ascending(flat: Floats, than_zero: np.ufunc) -> Floats:
    """Sort the magnitudes of one sign; the array is allocated once and filled in pieces."""
    pieces = [flat[start : start + _PIECE] for start in range(0, flat.size, _PIECE)]
    side = np.empty(sum(int(np.count_nonzero(than_zero(p, 0))) for p in pieces), flat.dtype)
    filled = 0
    for piece in pieces:
        chosen = np.compress(than_zero(piece, 0), piece)
        np.abs(chosen, out=side[filled : filled + chosen.size])
        filled += chosen.size
    side.sort()
    return side
