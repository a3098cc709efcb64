"""What a sparsity would do to a layer, answered from sorted magnitudes without any tensor.

A `Profile` is made once for a layer's weights, in a worker. Moving a sparsity then costs a few
binary searches: the threshold is read off by rank, what is kept is counted, and the histogram of
the survivors is cut at the threshold.
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

# Weights taken at a time: they stay in a core's cache, and no other thread waits long.
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A sparsity applied to a layer.

    Attributes:
        threshold: the largest magnitude that goes; 0.0 where nothing has to.
        kept: weights strictly above it.
    """

    sparsity: float
    threshold: float
    kept: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of a layer's nonzero weights in equal bins, before and after a cut.

    Attributes:
        edges: bin edges, [bins + 1].
        before: nonzero weights in each bin, [bins].
        after: those that survive, [bins].
    """

    edges: npt.NDArray[np.float64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Profile:
    """One layer's weights, sorted by magnitude: all that a what-if needs to know.

    Attributes:
        negative: magnitudes of the negative weights, ascending.
        positive: magnitudes of the positive weights, ascending.
        zeros: weights that are exactly zero.
    """

    layer: Layer
    negative: Floats
    positive: Floats
    zeros: int
    # The last one: where one of many layers moves, the others' are asked for again and again.
    _latest: WhatIf | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, layer: Layer, weight: Floats) -> Profile:
        """Sort the weights of a layer, of any shape; it takes one copy of them and no more."""
        flat = weight.reshape(-1)
        negative, positive = _ascending(flat, np.less), _ascending(flat, np.greater)
        return cls(layer, negative, positive, zeros=flat.size - negative.size - positive.size)

    @cached_property
    def floor(self) -> float:
        """The sparsity the weights have already; a plan cannot ask for less."""
        return self.zeros / self.layer.elements

    @cached_property
    def largest(self) -> float:
        """The largest magnitude; 0.0 where all weights are zero."""
        return max(
            (float(side[-1]) for side in (self.negative, self.positive) if side.size), default=0.0
        )

    def cut(self, sparsity: float) -> WhatIf:
        """Apply a sparsity in [0, 1]: exactly what `pruning.keep_mask` does to the tensor."""
        cut = self._latest
        if cut is None or cut.sparsity != sparsity:
            cut = self._compute(sparsity)
            object.__setattr__(self, "_cut", cut)
        return cut

    def _compute(self, sparsity: float) -> WhatIf:
        k = prune_count(sparsity, self.layer.elements)
        if k == 0:
            return WhatIf(sparsity, 0.0, self.layer.elements)
        threshold = self._magnitude_at(k - self.zeros) if k > self.zeros else 0.0
        return WhatIf(sparsity, threshold, self._above(threshold))

    def footprint(self, cut: WhatIf) -> Footprint:
        """What the layer costs under a cut, its bias included."""
        layer = self.layer
        return Footprint(layer.parameters, cut.kept + layer.parameters - layer.elements)

    def histogram(self, cut: WhatIf, bins: int) -> Histogram:
        """Count the nonzero weights in `bins` equal bins over +-`largest`, before and after."""
        reach = self.largest or 1.0
        edges = np.linspace(-reach, reach, bins + 1)
        return Histogram(edges, self._count(edges, 0.0), self._count(edges, cut.threshold))

    def _above(self, threshold: float) -> int:
        value = np.float32(threshold)
        return sum(
            side.size - int(np.searchsorted(side, value, side="right"))
            for side in (self.negative, self.positive)
        )

    def _magnitude_at(self, rank: int) -> float:
        """The `rank`-th smallest (1-based) of the two sorted sides, by bisection over one of them.

        Taking i from the short side and rank - i from the long one is right when neither side's
        last taken value exceeds the other's first left one.
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
        """Weights beyond the threshold, either sign, in each bin."""
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
    """Sort the magnitudes of one sign in an array that is made once, filled piece by piece."""
    pieces = [flat[start : start + _PIECE] for start in range(0, flat.size, _PIECE)]
    side = np.empty(sum(int(np.count_nonzero(than_zero(p, 0))) for p in pieces), flat.dtype)
    filled = 0
    for piece in pieces:
        chosen = np.compress(than_zero(piece, 0), piece)
        np.abs(chosen, out=side[filled : filled + chosen.size])
        filled += chosen.size
    side.sort()
    return side
