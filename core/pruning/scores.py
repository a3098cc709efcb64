"""Importance scores: which weights a layer gives up first, by each allocation method.

A method gives every nonzero weight a score from 0 to infinity; the highest scores stay. An
allocation asks a layer only one question: how many of its weights score at least a cutoff. That
number never grows with the cutoff. Weights that are already zero have no score. A new method also
needs a name in `goals.ALLOCATIONS` and an entry in `allocation`.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.pruning.curves import Point
from core.pruning.what_if import Floats, Profile

Doubles = npt.NDArray[np.float64]

# Weights squared at a time, and at most recomputed for one score.
_BLOCK = 1 << 12

LEVEL = 1e-4
"""Points of accuracy added over a whole layer where its curve is flat: less than one image."""


class LayerRanking(Protocol):
    """The scores of one layer's weights."""

    def count(self, cutoff: float) -> int:
        """How many weights score at least `cutoff`, which is from 0 to infinity."""


@dataclass(frozen=True, slots=True)
class ProportionalRanking:
    """A layer that keeps weights in proportion to a claim, regardless of their values.

    The j-th weight it keeps scores claim / (j - 1/2). This is the divisor method of Webster and
    Sainte-Laguë (Balinski and Young 1982, "Fair Representation"): it rounds every layer's share to
    the nearest weight and never takes a weight back when the budget grows.

    Attributes:
        claim: above 0; only its ratio to the claims of other layers matters.
        cap: the most weights the layer can keep.
    """

    claim: float
    cap: int

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`."""
        if cutoff * self.cap <= self.claim:
            return self.cap
        return min(self.cap, int(self.claim / cutoff + 0.5))


@dataclass(frozen=True, slots=True)
class MagnitudeRanking:
    """A layer whose weights are ranked by magnitude in multiples of `unit`.

    With the same unit for all layers this is global magnitude pruning: one threshold for all
    weights. Magnitude pruning is due to Han et al. 2015; the global variant is named by Blalock et
    al. 2020, "What is the State of Neural Network Pruning?".
    """

    profile: Profile
    unit: float = 1.0

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`; with a unit of 0 every weight scores infinity."""
        return _count_from(self.profile, cutoff * self.unit if self.unit else 0.0)


@dataclass(frozen=True)
class LampRanking:
    """Layer-adaptive magnitude: w² over the sum of v² for all v in the layer with |v| >= |w|.

    Lee et al. 2021, "Layer-adaptive Sparsity for the Magnitude-based Pruning". Weights of equal
    magnitude share one score here.

    Scores grow with magnitude, so a binary search over a few of them finds the cutoff. Computed
    scores are cached, since the next cutoff needs most of them again; of the sums of squares behind
    them, every 4,096th is stored.
    """

    profile: Profile
    _scores: dict[np.float32, float] = field(default_factory=dict, init=False, compare=False)

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`."""
        return sum(side.size - bisect_left(side, cutoff, key=self.score) for side, _ in self._sides)

    def score(self, magnitude: np.float32) -> float:
        """The score, in (0, 1], of the weights of this magnitude."""
        score = self._scores.get(magnitude)
        if score is None:
            above = sum(_squares_from(side, sums, magnitude) for side, sums in self._sides)
            score = self._scores[magnitude] = float(magnitude) ** 2 / above
        return score

    @cached_property
    def _sides(self) -> tuple[tuple[Floats, Doubles], ...]:
        """For each sign, the magnitudes and the sums of their squares from each block on."""
        sides = self.profile.negative, self.profile.positive
        return tuple(
            (side, np.append(_block_squares(side), 0.0)[::-1].cumsum()[::-1]) for side in sides
        )


@dataclass(frozen=True)
class SensitivityRanking:
    """A layer ranked by the accuracy lost when it alone is pruned.

    The j-th weight it keeps scores the drop in accuracy with j - 1 weights left.

    Attributes:
        elements: weights of the layer.
        cap: the most weights it can keep.
        sparsities: ascending, up to 1.
        drops: points of accuracy lost at each, nonnegative and nondecreasing; linear in between.
    """

    elements: int
    cap: int
    sparsities: Doubles
    drops: Doubles

    def drop(self, sparsity: float) -> float:
        """The drop in accuracy at a sparsity, in points."""
        return float(np.interp(sparsity, self.sparsities, self.drops))

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`."""

        def negated_drop(kept: int) -> float:
            return -self.drop((self.elements - kept) / self.elements)

        return bisect_right(range(self.cap), -cutoff, key=negated_drop)


def uniform(profile: Profile) -> ProportionalRanking:
    """The same sparsity for every layer, except where its zeros exceed it."""
    return ProportionalRanking(profile.layer.elements, profile.nonzero)


def erk(profile: Profile) -> ProportionalRanking:
    """Erdős-Rényi-Kernel: density in proportion to the sum of a layer's sizes over their product.

    A layer of n_out x n_in x kernel weights keeps a share of (n_out + n_in + kernel sizes) / (n_out
    n_in kernel sizes), times a factor common to all layers (Mocanu et al. 2018, "Scalable training
    of artificial neural networks with adaptive sparse connectivity"; with the kernel, Evci et al.
    2020, "Rigging the Lottery", section 3). What a full layer cannot keep goes to the others.
    """
    return ProportionalRanking(sum(profile.layer.shape), profile.nonzero)


def han(profile: Profile) -> MagnitudeRanking:
    """A layer's threshold is the standard deviation of its weights times one quality parameter.

    Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks", section
    4. Only nonzero weights count, so weights pruned earlier do not lower the deviation.
    """
    count, mean, squares = profile.nonzero, 0.0, 0.0
    if count:
        signed = ((profile.negative, -1.0), (profile.positive, 1.0))
        mean = sum(sign * float(side.sum(dtype=np.float64)) for side, sign in signed) / count
        squares = sum(float(_block_squares(side, sign * mean).sum()) for side, sign in signed)
    return MagnitudeRanking(profile, math.sqrt(squares / max(1, count)))


def sensitivity(
    profile: Profile, points: Sequence[Point], dense: float, level: float = LEVEL
) -> SensitivityRanking:
    """Prune every layer until its scan shows the same drop in accuracy.

    Han et al. 2015, section 5, find thresholds from sensitivities. The curve is linear between
    measured points and never falls as sparsity grows. It starts at 0 at the sparsity the weights
    already have. Beyond the last point it rises to `dense` at sparsity 1, more than a net loses by
    guessing: nothing was measured there, but the net is known to break.

    Args:
        profile: the layer.
        points: its measured points, in any order; points without images are skipped.
        dense: accuracy of the scanned net, in percent.
        level: points of accuracy added in proportion to sparsity, so that layers with flat curves
            are pruned together rather than one after the other.
    """
    measured = {
        point.sparsity: max(0.0, dense - point.accuracy)
        for point in points
        if point.accuracy is not None and point.sparsity > profile.floor
    }
    drops = {1.0: dense, **measured, profile.floor: 0.0}
    sparsities = np.array(sorted(drops))
    rising = np.maximum.accumulate([drops[sparsity] for sparsity in sorted(drops)])
    points_lost = rising + level * sparsities
    return SensitivityRanking(profile.layer.elements, profile.nonzero, sparsities, points_lost)


def _count_from(profile: Profile, least: float) -> int:
    """Count the weights of at least this magnitude."""
    if least > profile.largest:
        return 0
    value = np.float32(least)
    if float(value) < least:  # a comparison with float32 would round it
        value = np.nextafter(value, np.float32(np.inf))
    return sum(
        side.size - int(side.searchsorted(value)) for side in (profile.negative, profile.positive)
    )


def _squares_from(side: Floats, sums: Doubles, magnitude: np.float32) -> float:
    """Sum the squares from `magnitude` up, given the `sums` from each block on."""
    place = int(side.searchsorted(magnitude))
    block = -(-place // _BLOCK)
    return float(sums[block]) + _squares(side[place : block * _BLOCK])


def _block_squares(side: Floats, center: float = 0.0) -> Doubles:
    """The sum of squared distances from `center` for each block, [blocks]."""
    starts = range(0, side.size, _BLOCK)
    return np.array([_squares(side[at : at + _BLOCK], center) for at in starts], np.float64)


def _squares(piece: Floats, center: float = 0.0) -> float:
    distances = np.subtract(piece, center, dtype=np.float64)
    return float(distances @ distances)
