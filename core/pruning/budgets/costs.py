"""What a net costs by the weights that each layer keeps: parameters, multiplications or time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, Self

from core.events import Event

if TYPE_CHECKING:
    from core.nets.layers import Layer

Unit = Literal["parameters", "macs", "ns"]
"""What a cost counts: nonzero parameters, multiplications per image, or nanoseconds per image."""


@dataclass(frozen=True, slots=True)
class LayerCosts:
    """The cost of one layer by the number of weights it keeps.

    Linear between known points. A cost never falls as more weights are kept, so that pruning a
    weight never makes a plan more expensive.

    Attributes:
        kept: weights kept, ascending from 0 to all of the layer's.
        costs: the cost at each, in the `Unit` of the net; nondecreasing.
    """

    kept: tuple[int, ...]
    costs: tuple[float, ...]

    @classmethod
    def per_weight(cls, elements: int, cost: float) -> Self:
        """A layer of `elements` weights, each of which costs the same."""
        return cls((0, elements), (0.0, cost * elements))

    @classmethod
    def measured(cls, points: Iterable[tuple[int, float]]) -> Self:
        """From measured costs, as (weights kept, cost), of which one keeps 0 and one keeps all.

        A cost above that of a denser layer is noise, or means that the denser form is the one to
        run: the lower one counts.
        """
        kept, costs = zip(*sorted(points), strict=True)
        falling = accumulate(reversed(costs), min)
        return cls(kept, tuple(falling)[::-1])

    def at(self, kept: int) -> float:
        """The cost with this many weights."""
        place = min(max(bisect_left(self.kept, kept), 1), len(self.kept) - 1)
        (low, high), (less, more) = self.kept[place - 1 : place + 1], self.costs[place - 1 :][:2]
        return less + (more - less) / (high - low) * (kept - low)

    def most(self, cost: float, cap: int) -> int:
        """The most weights, up to `cap`, whose cost is at most `cost`; -1 if even 0 cost more."""
        return bisect_right(range(cap + 1), cost, key=self.at) - 1


@dataclass(frozen=True, slots=True)
class NetCosts:
    """The costs of a net.

    Attributes:
        unit: what is counted.
        layers: the costs of every prunable layer, by name.
        fixed: the cost of the rest, which no plan saves.

    Example:
        >>> layers = {"conv": LayerCosts.per_weight(25, 100), "fc": LayerCosts.per_weight(500, 1)}
        >>> costs = NetCosts("macs", layers, fixed=40)
        >>> costs.dense, costs.of({"conv": 5, "fc": 20})
        (3040, 560.0)
    """

    unit: Unit
    layers: Mapping[str, LayerCosts]
    fixed: float

    @property
    def dense(self) -> float:
        """The cost of the net with all weights."""
        return self.fixed + sum(layer.costs[-1] for layer in self.layers.values())

    def of(self, kept: Mapping[str, int]) -> float:
        """The cost with this many weights in each layer."""
        return self.fixed + sum(layer.at(kept[name]) for name, layer in self.layers.items())


@dataclass(frozen=True, slots=True)
class CostsKnown(Event):
    """What the layers of a net cost, worked out or read."""

    costs: NetCosts


def parameter_costs(layers: Sequence[Layer], parameters: int) -> NetCosts:
    """Nonzero parameters, of a net that has `parameters`; biases and the like are never pruned."""
    weights = sum(layer.elements for layer in layers)
    each = {layer.name: LayerCosts.per_weight(layer.elements, 1) for layer in layers}
    return NetCosts("parameters", each, parameters - weights)
