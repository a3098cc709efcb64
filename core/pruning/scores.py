"""Which weights a layer gives up first, by each method of allocating sparsity.

A method gives every weight that a layer can keep a priority, from 0 to infinity, and the weights
with the highest ones stay. All that an allocation asks of a layer is how many of its weights reach
a bar; that number never grows with the bar. Weights that are zero already have no priority.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.pruning.curves import Point
from core.pruning.what_if import Floats, Profile

Doubles = npt.NDArray[np.float64]

# Weights squared at a time, and the most that are squared again for one question.
_BLOCK = 1 << 12

LEVEL = 1e-4
"""Points of accuracy that a whole layer adds where its curve is level: less than one image."""


class LayerRanking(Protocol):
    """The priorities of one layer's weights."""

    def count(self, cutoff: float) -> int:
        """How many weights have a priority of at least `cutoff`, from 0 to infinity."""


@dataclass(frozen=True, slots=True)
class ProportionalRanking:
    """A layer that keeps weights in proportion to a claim, whatever they are.

    The j-th weight that it keeps has the priority claim / (j - 1/2): the divisor method of Webster
    and Sainte-Laguë (Balinski and Young 1982, "Fair Representation"), which rounds every layer's
    share to the nearest weight and never takes one back when there are more to hand out.

    Attributes:
        claim: above 0; it means something only beside those of the other layers.
        cap: the most weights that it can keep.
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
    """A layer whose weights rank by magnitude, measured in `unit`."""

    profile: Profile
    unit: float = 1.0

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`; where the unit is 0, every weight is infinitely many of them."""
        return _count_from(self.profile, cutoff * self.unit if self.unit else 0.0)


@dataclass(frozen=True)
class LampRanking:
    """A layer whose weights rank by their LAMP scores, see `lamp`.

    The scores rise with the magnitude, so a few of them find the weight at the bar; those are kept,
    as the next bar needs most of them again. Of the sums of squares that they take, only every
    4,096th is kept.
    """

    profile: Profile

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`."""
        return sum(self._count_from(side, cutoff) for side, _ in self._sides)

    def score(self, magnitude: np.float32) -> float:
        """The score, above 0 and up to 1, of those of the layer's weights of this magnitude."""
        score = self._scores.get(magnitude)
        if score is None:
            above = sum(_squares_from(side, sums, magnitude) for side, sums in self._sides)
            score = self._scores[magnitude] = float(magnitude) ** 2 / above
        return score

    def _count_from(self, side: Floats, cutoff: float) -> int:
        ranks = range(side.size)
        return side.size - bisect_left(
            ranks, cutoff, key=lambda rank: self.score(np.float32(side[rank]))
        )

    @cached_property
    def _scores(self) -> dict[np.float32, float]:
        return {}

    @cached_property
    def _sides(self) -> tuple[tuple[Floats, Doubles], ...]:
        """The magnitudes of either sign, and the sums of their squares from each block on."""
        sides = self.profile.negative, self.profile.positive
        return tuple(
            (side, np.append(_block_squares(side), 0.0)[::-1].cumsum()[::-1]) for side in sides
        )


@dataclass(frozen=True)
class SensitivityRanking:
    """A layer that gives up weights for the accuracy that this costs when it is pruned alone.

    The priority of the j-th weight that it keeps is the drop without it, with j - 1 weights left.

    Attributes:
        elements: weights of the layer.
        cap: the most that it can keep.
        sparsities: ascending, up to 1.
        drops: points of accuracy at these, never negative, never falling; linear in between.
    """

    elements: int
    cap: int
    sparsities: Doubles
    drops: Doubles

    def drop(self, sparsity: float) -> float:
        """Points of accuracy lost at a sparsity."""
        return float(np.interp(sparsity, self.sparsities, self.drops))

    def count(self, cutoff: float) -> int:
        """See `LayerRanking.count`."""

        def spared(kept: int) -> float:
            return -self.drop((self.elements - kept) / self.elements)

        return bisect_right(range(self.cap), -cutoff, key=spared)


def uniform(profile: Profile) -> ProportionalRanking:
    """The same sparsity for every layer that its zeros allow it."""
    return ProportionalRanking(profile.layer.elements, nonzero(profile))


def erk(profile: Profile) -> ProportionalRanking:
    """Erdős-Rényi-Kernel: density in proportion to the sizes' sum over their product.

    A layer of n_out x n_in x kernel weights keeps a share (n_out + n_in + kernel sizes) / (n_out
    n_in kernel sizes' product) of them, times what is the same for all layers (Mocanu et al. 2018,
    "Scalable training of artificial neural networks with adaptive sparse connectivity"; with the
    kernel Evci et al. 2020, "Rigging the Lottery", section 3). What a full layer cannot take goes
    to the others.
    """
    return ProportionalRanking(sum(profile.layer.shape), nonzero(profile))


def magnitude(profile: Profile) -> MagnitudeRanking:
    """One threshold for the weights of all layers.

    Pruning by magnitude is Han et al.'s (2015); Blalock et al. 2020, "What is the State of Neural
    Network Pruning?", name it so with one threshold: global magnitude pruning.
    """
    return MagnitudeRanking(profile)


def han(profile: Profile) -> MagnitudeRanking:
    """Han's rule: a layer's threshold is the standard deviation of its weights times one quality.

    Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks", section
    4. The deviation is that of the weights that are not zero: those that are pruned already do not
    lower it.
    """
    count, mean, squares = nonzero(profile), 0.0, 0.0
    if count:
        signed = ((profile.negative, -1.0), (profile.positive, 1.0))
        mean = sum(sign * float(side.sum(dtype=np.float64)) for side, sign in signed) / count
        squares = sum(float(_block_squares(side, sign * mean).sum()) for side, sign in signed)
    return MagnitudeRanking(profile, math.sqrt(squares / max(1, count)))


def lamp(profile: Profile) -> LampRanking:
    """Layer-adaptive magnitude: w² over the sum of v² over the layer's |v| >= |w|.

    Lee et al. 2021, "Layer-adaptive Sparsity for the Magnitude-based Pruning"; weights of equal
    magnitude have one score here.
    """
    return LampRanking(profile)


def sensitivity(
    profile: Profile, points: Sequence[Point], dense: float, level: float = LEVEL
) -> SensitivityRanking:
    """Each layer as far as its scan allows for a drop in accuracy that is the same for all.

    Han et al. 2015, section 5, find each layer's threshold from the sensitivities. The curve is
    linear between the points that were measured, and a drop never shrinks with more sparsity. It
    starts from 0 at the sparsity that the weights have already. Beyond the last point it rises to
    the whole of `dense` at sparsity 1, more than is lost down to chance: what happens there is not
    known, but that the net breaks is.

    Args:
        profile: the layer.
        points: its points, in any order; those without images are left out.
        dense: the accuracy of the net that was scanned, in percent.
        level: points of accuracy that are added in proportion to the sparsity, so that layers
            whose curves are level, which says nothing of whose turn it is, go down together.
    """
    measured = {
        point.sparsity: max(0.0, dense - point.accuracy)
        for point in points
        if point.accuracy is not None and point.sparsity > profile.floor
    }
    drops = {1.0: dense, **measured, profile.floor: 0.0}
    sparsities = np.array(sorted(drops))
    rising = np.maximum.accumulate([drops[sparsity] for sparsity in sorted(drops)])
    return SensitivityRanking(
        profile.layer.elements, nonzero(profile), sparsities, rising + level * sparsities
    )


def nonzero(profile: Profile) -> int:
    """The most weights that a layer can keep."""
    return profile.layer.elements - profile.zeros


def _count_from(profile: Profile, least: float) -> int:
    """Weights of at least this magnitude."""
    if least > profile.largest:
        return 0
    value = np.float32(least)
    if float(value) < least:  # compared with a float32, it would be rounded first
        value = np.nextafter(value, np.float32(np.inf))
    return sum(
        side.size - int(side.searchsorted(value)) for side in (profile.negative, profile.positive)
    )


def _squares_from(side: Floats, sums: Doubles, magnitude: np.float32) -> float:
    """The squares of a side from `magnitude` up, given their `sums` from each block on."""
    place = int(side.searchsorted(magnitude))
    block = -(-place // _BLOCK)
    return float(sums[block]) + _squares(side[place : block * _BLOCK])


def _block_squares(side: Floats, center: float = 0.0) -> Doubles:
    """The squared distances from `center`, added up over each block, [blocks]."""
    starts = range(0, side.size, _BLOCK)
    return np.array([_squares(side[at : at + _BLOCK], center) for at in starts], np.float64)


def _squares(piece: Floats, center: float = 0.0) -> float:
    distances = np.subtract(piece, center, dtype=np.float64)
    return float(distances @ distances)
