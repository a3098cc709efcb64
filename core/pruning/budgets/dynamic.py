"""Sparsities with the least total drop in accuracy under a budget, by dynamic programming.

SPDY (Frantar & Alistarh 2022, "SPDY: Accurate Pruning with Speedup Guarantees"): every layer has a
list of sparsities, each with a cost and a drop in accuracy; one of each list is chosen. The drops
are those of a scan, in which each layer is pruned alone, and are added up. SPDY's search for
coefficients that rescale the layers' drops is left out: it takes hundreds of calibrated nets.

The budget is discretized into `BUCKETS` buckets, into which costs are rounded up, so that it is
never exceeded. The total drop is at most the least one for a budget that is smaller by as many
buckets as there are layers. What rounding leaves over keeps more weights. Costs that are whole
numbers are not rounded if the budget has no more units than buckets: the result is then exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from core.pruning.budgets.costs import LayerCosts
from core.pruning.scores import SensitivityRanking

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BUCKETS = 10_000
"""The resolution of the budget, as in the paper."""

STEP = 0.9
"""From one sparsity to the next a layer keeps so much of its weights, as in the paper."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What a layer may keep, and what it costs.

    Attributes:
        costs: by weights kept.
        kept: the choices, ascending; the first is 0, the last is all that the layer has.
        drops: points of accuracy lost at each.
    """

    costs: LayerCosts
    kept: Counts
    drops: Doubles

    @classmethod
    def of(cls, ranking: SensitivityRanking, costs: LayerCosts) -> Self:
        """The scanned sparsities, and shares that shrink by `STEP`."""
        cap, elements = ranking.cap, ranking.elements
        scanned = np.round((1 - ranking.sparsities) * elements)
        shrinking = cap * STEP ** np.arange(1 + np.log(max(cap, 1)) / -np.log(STEP))
        kept = np.unique(np.concatenate((scanned, np.floor(shrinking), [0, cap]))).astype(np.int64)
        kept = kept[kept <= cap]
        sparsities = (elements - kept) / elements
        return cls(costs, kept, np.interp(sparsities, ranking.sparsities, ranking.drops))

    @property
    def prices(self) -> Doubles:
        """The cost of each choice."""
        return np.array([self.costs.at(kept) for kept in self.kept.tolist()])

    def drop(self, kept: int) -> float:
        """The drop with this many weights, in points."""
        return float(np.interp(kept, self.kept, self.drops))


def least_drop(curves: Sequence[Curve], budget: float, buckets: int = BUCKETS) -> list[int]:
    """The weights that each layer keeps, for the least total drop within a budget.

    Args:
        curves: the choices of each layer.
        budget: the most they may cost together; at least what all of them cost empty.
        buckets: the resolution; see the module docstring.

    Example:
        >>> from core.pruning.budgets.costs import LayerCosts
        >>> choices = np.array([0, 5, 10])
        >>> conv = Curve(LayerCosts.per_weight(10, 4), choices, np.array([50.0, 2.0, 0.0]))
        >>> linear = Curve(LayerCosts.per_weight(10, 1), choices, np.array([30.0, 9.0, 0.0]))
        >>> least_drop([conv, linear], 30)
        [5, 10]
    """
    prices = [curve.prices for curve in curves]
    extra = [price - price[0] for price in prices]
    free = budget - sum(float(price[0]) for price in prices)
    whole = float(free).is_integer() and all(np.array_equal(e, np.floor(e)) for e in extra)
    if free <= 1e-9 * max(budget, 1.0):
        buckets, size = 0, 1.0
    elif whole and free <= buckets:
        buckets, size = int(free), 1.0
    else:
        size = free / buckets
    weights = [np.minimum(np.ceil(e / size), buckets + 1).astype(np.int64) for e in extra]
    places = _choose(weights, [curve.drops for curve in curves], buckets)
    kept = [int(curve.kept[place]) for curve, place in zip(curves, places, strict=True)]
    return _filled(curves, kept, budget)


def _choose(weights: Sequence[Counts], drops: Sequence[Doubles], buckets: int) -> list[int]:
    """The place of each layer's choice, for the least total drop at a weight of `buckets`.

    `best[b]` is the least drop of the layers so far at a weight of at most b. The first choice of
    every layer weighs nothing.
    """
    best, following, trial = (np.zeros(buckets + 1) for _ in range(3))
    chosen = []
    for weight, drop in zip(weights, drops, strict=True):
        choice = np.zeros(buckets + 1, np.uint16)
        following.fill(np.inf)
        for place in np.flatnonzero(weight <= buckets).tolist():
            begin = int(weight[place])
            part = np.add(best[: buckets + 1 - begin], drop[place], out=trial[begin:])
            better = part < following[begin:]
            np.copyto(following[begin:], part, where=better)
            np.copyto(choice[begin:], place, where=better, casting="unsafe")
        best, following = following, best
        chosen.append(choice)
    places, left = [], buckets
    for weight, choice in zip(reversed(weights), reversed(chosen), strict=True):
        places.append(int(choice[left]))
        left -= int(weight[places[-1]])
    return places[::-1]


def _filled(curves: Sequence[Curve], kept: list[int], budget: float) -> list[int]:
    """Keep more weights with what is left: those first that mend most for their cost."""
    while True:
        left = budget - sum(c.costs.at(n) for c, n in zip(curves, kept, strict=True))
        steps = []
        for layer, (curve, now) in enumerate(zip(curves, kept, strict=True)):
            following = curve.kept[np.searchsorted(curve.kept, now, side="right") :]
            if not following.size:
                continue
            before = curve.costs.at(now)
            then = curve.costs.most(before + left, int(following[0]))
            if then > now:
                cost = curve.costs.at(then) - before
                gain = curve.drop(now) - curve.drop(then)
                steps.append((gain / cost if cost else np.inf, -layer, then))
        if not steps:
            return kept
        _, layer, then = max(steps)
        kept[-layer] = then
