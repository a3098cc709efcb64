"""The layers to reconstruct, one after another, and what each of them costs and came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.events import Event
from core.nets.layers import Layer
from core.reconstruction.inputs import Uses, refusal

_FORWARD = 1e9
"""Multiplications that running the sample from one layer to the next is worth, about."""

_SOLVES = 50
"""How often a layer's Gram matrix is factored until its support is chosen, about."""


@dataclass(frozen=True, slots=True)
class LayerReconstructed(Event):
    """A layer is done.

    Its output errors are sums of squares on the sample that it is fitted to, from the inputs that
    the layers before it now give, as fractions of those of the dense outputs without their bias.

    Attributes:
        number: of the layer, counted from 1.
        layers: how many there are.
        kept: its nonzero weights.
        magnitude: the error of magnitude pruning with as many weights; None if unknown.
        error: that of the weights now.
        reason: why the layer is pruned by magnitude, and not reconstructed; empty if it is.
    """

    name: str
    number: int
    layers: int
    kept: int
    magnitude: float | None = None
    error: float | None = None
    reason: str = ""


class Task(NamedTuple):
    """A layer to reconstruct, and how the net uses it, if it does."""

    layer: Layer
    uses: Uses | None
    number: int
    layers: int

    @property
    def refusal(self) -> str:
        """Why it is pruned by magnitude instead; empty if it is not."""
        return refusal(self.layer, self.uses)

    @property
    def cost(self) -> float:
        """About how long it takes, relative to others."""
        return 0.0 if self.refusal else sum(self.costs)

    @property
    def costs(self) -> tuple[float, float, float]:
        """About how many multiplications it takes to reach, to add up, and to solve."""
        if self.uses is None:
            return 0.0, 0.0, 0.0
        size = self.uses.inputs / len(self.uses.parts)
        values = self.uses.blocks * self.uses.inputs * size
        solving = size / 3 + self.layer.shape[0] / self.uses.blocks
        return _FORWARD, _FORWARD + values * self.uses.wanted, values * _SOLVES * solving

    def step(self, what: str) -> str:
        """What is done with it, and which of the layers it is."""
        return f"{what} {self.layer.name}, layer {self.number} of {self.layers}"

    def done(
        self,
        kept: int,
        magnitude: float | None = None,
        error: float | None = None,
        reason: str = "",
    ) -> LayerReconstructed:
        """What it came to."""
        return LayerReconstructed(
            self.layer.name, self.number, self.layers, kept, magnitude, error, reason
        )


def tasks_of(layers: Sequence[Layer], found: Mapping[str, Uses]) -> list[Task]:
    """The layers in the order in which the net uses them; those it does not use come last."""
    order = [layer for name in found for layer in layers if layer.name == name]
    order += [layer for layer in layers if layer.name not in found]
    return [
        Task(layer, found.get(layer.name), number, len(order))
        for number, layer in enumerate(order, 1)
    ]
