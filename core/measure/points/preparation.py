"""What is done to the points of a scan before the first images: repair, and running statistics.

That happens group by group, so that a scan that is stopped early has the curves of the layers done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from core.events import Portion, Stream, portions, within
from core.measure.points.statistics import PointStatistics
from core.measure.recalibration import Statistics
from core.nets.layers import Layer
from core.pruning.curves import RepairName

_FORWARD = 2.5e5
"""Multiplications that running an image through one layer is worth, about."""

Parameters = Callable[[], Mapping[str, Tensor]]
"""Gives the parameters of a pruned layer by name."""


class LayerRepair(Protocol):
    """Prunes a layer and repairs it, instead of pruning it by magnitude."""

    def cost(self, layer: Layer, points: int) -> float:
        """About how many multiplications it takes."""

    def __call__(
        self, layer: Layer, sparsities: Sequence[float]
    ) -> Stream[Mapping[float, Parameters]]:
        """The layer at those sparsities where it is not pruned by magnitude.

        The net has its own weights and statistics meanwhile. Raises StoppedError.
        """


@dataclass(frozen=True, eq=False)
class Group:
    """Points that prune the same layers.

    Attributes:
        layer: the layer; None for the points of all layers, which use what was made of each.
        sparsities: to repair it at.
        points: contexts in which the net has the weights of each point.
        runs: how many layers all of these run an image through.
    """

    layer: Layer | None
    sparsities: Sequence[float]
    points: Sequence[Callable[[], AbstractContextManager[None]]]
    runs: int


class Preparation:
    """Prepares group after group.

    Args:
        groups: by name.
        repair: of the layers; None to prune them by magnitude.
        statistics: None to leave them stale, or for a net without.
        images: that every point will be measured on.

    Attributes:
        repaired: by the name of a layer and its sparsity.
        measuring: the portion of the scan after all groups are prepared.
    """

    def __init__(
        self,
        groups: Mapping[str, Group],
        repair: LayerRepair | None,
        statistics: PointStatistics | None,
        images: int,
    ) -> None:
        self._repair, self._statistics = repair, statistics
        self.repaired: dict[str, Mapping[float, Parameters]] = {}
        sample = _FORWARD * statistics.images if statistics else 0.0
        self._costs = {
            name: (self._repair_cost(group), sample * group.runs) for name, group in groups.items()
        }
        measuring = _FORWARD * images * sum(group.runs for group in groups.values())
        self._start, *each, self.measuring = portions(
            sample * len(groups), *map(sum, self._costs.values()), measuring
        )
        needed = repair is not None or statistics is not None
        self._waiting = dict(zip(groups if needed else (), each, strict=False))

    @property
    def name(self) -> RepairName:
        """What is done."""
        if self._repair is not None:
            return "reconstruct"
        return "none" if self._statistics is None else "recalibrate"

    @property
    def done(self) -> bool:
        """Whether no group waits for it."""
        return not self._waiting

    def waits(self, name: str) -> bool:
        """Whether a group has yet to be prepared."""
        return name in self._waiting

    def start(self) -> Stream[None]:
        """Before the first group; raises StoppedError."""
        if self.done:
            yield Portion(0.0, 1.0)
        elif self._statistics is not None:
            yield from within(self._start, self._statistics.start())

    def of(self, name: str, group: Group) -> Stream[list[Statistics | None]]:
        """Repair the layer of a group; returns the statistics of its points. Raises StoppedError.

        The net has its own weights and statistics.
        """
        repairing, computing = (
            self._waiting[name].part(each) for each in portions(*self._costs[name])
        )
        if self._repair is not None and group.layer is not None:
            repair = self._repair(group.layer, group.sparsities)
            self.repaired[name] = yield from within(repairing, repair)
        found: list[Statistics | None] = [None] * len(group.points)
        if self._statistics is not None and group.points:
            computed = self._statistics.of_group(name, group.points)
            found = [*(yield from within(computing, computed))]
        del self._waiting[name]
        if self.done:
            yield self.measuring
        return found

    def _repair_cost(self, group: Group) -> float:
        if self._repair is None or group.layer is None:
            return 0.0
        return self._repair.cost(group.layer, len(group.sparsities))
