"""The layers to reconstruct, one after another, and what each of them costs and came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.events import Event, Notice
from core.nets.layers import Layer
from core.reconstruction.inputs import Uses, refusal

_STEP = 1e9
"""Multiplications that a step takes at least, about."""

_VALUE = 300
"""Multiplications that what follows a layer, such as its activation, takes per value, about."""

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


def layer_notice(layer: LayerReconstructed) -> Notice:
    """The output error of a layer by magnitude and as reconstructed, or why it is not.

    Example:
        >>> notice = layer_notice(LayerReconstructed("conv2", 2, 5, 1_280, 0.6213, 0.0541))
        >>> notice.text, notice.short
        ('conv2: output error 5.41 % (62.1 % by magnitude)', 'conv2: error 62.1 → 5.41 %')
    """
    if layer.reason or layer.error is None:
        return Notice(f"{layer.name}: pruned by magnitude, {layer.reason}")
    text, error = f"{layer.name}: output error", f"{100 * layer.error:.3g} %"
    if layer.magnitude is None:
        return Notice(f"{text} {error}")
    before = f"{100 * layer.magnitude:.3g}"
    short = f"{layer.name}: error {before} → {error}"
    return Notice(f"{text} {error} ({before} % by magnitude)", short=short)


class Task(NamedTuple):
    """A layer to reconstruct, and how the net uses it, if it does.

    Attributes:
        number: counted from 1.
        layers: how many there are.
        images: of the sample.
        reaching: about how many multiplications it takes to run the sample up to it.
        kept: whether its values there are kept; if not, they are computed for every batch of rows.
    """

    layer: Layer
    uses: Uses | None
    number: int
    layers: int
    images: int
    reaching: float = 0.0
    kept: bool = True

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
        rows = min(self.uses.wanted, self.uses.of(self.images))
        reaching = self.reaching * self.kept
        running = self.reaching - reaching + self.running
        return _STEP + reaching, _STEP + running + values * rows, values * _SOLVES * solving

    @property
    def running(self) -> float:
        """About how many multiplications it takes to run the sample through it."""
        if self.uses is None:
            return 0.0
        return self.uses.of(self.images) * self.layer.shape[0] * (self.uses.inputs + _VALUE)

    def step(self, what: str) -> str:
        """Which of the layers it is, and what is done with it."""
        return f"{self.layer.name} ({self.number} of {self.layers}): {what}"

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


def tasks_of(
    layers: Sequence[Layer],
    found: Mapping[str, Uses],
    images: int,
    keeps: Callable[[str], bool] = lambda _: True,
) -> list[Task]:
    """The layers in the order in which the net uses them; those it does not use come last.

    `keeps` says whether a sample of so many images is kept before a layer.
    """
    order = [layer for name in found for layer in layers if layer.name == name]
    order += [layer for layer in layers if layer.name not in found]
    tasks, way = list[Task](), 0.0
    for number, layer in enumerate(order, 1):
        uses, kept = found.get(layer.name), keeps(layer.name)
        tasks.append(Task(layer, uses, number, len(order), images, way, kept))
        way = tasks[-1].running + (0.0 if kept else way)
    return tasks
