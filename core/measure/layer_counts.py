"""The counts of a layer and of each call of it: multiplications, inputs, nonzero activations."""

from collections.abc import Sequence
from typing import Self


class LayerCount:
    """Counts of one layer; `units` and `nonzero_units` have an entry per batch."""

    def __init__(self, name: str, elements: int) -> None:
        self.name, self.elements = name, elements
        self.macs = self.inputs = self.nonzero_inputs = 0
        self.units: list[int] = []
        self.nonzero_units: list[int] = []

    def start_batch(self) -> None:
        """Begin a batch."""
        self.units.append(0)
        self.nonzero_units.append(0)

    def add_units(self, units: int, nonzero: int) -> None:
        """Count activations of the current batch."""
        self.units[-1] += units
        self.nonzero_units[-1] += nonzero


class LayerCall:
    """One call of a layer: counts its output until its values reach a ReLU, then the ReLU's.

    The output has `units` values, `nonzero` of which are not zero. Of several weights joined in one
    tensor, the layer's is `share`, a fraction as part and whole. Without `has_bias`, a bias may
    still be added to the output.
    """

    def __init__(
        self,
        layer: LayerCount,
        units: int,
        nonzero: int,
        share: tuple[int, int] = (1, 1),
        has_bias: bool = True,
    ) -> None:
        self._layer, self._share, self._has_bias, self._rectified = layer, share, has_bias, False
        self._units, self._nonzero = self._own(units), self._own(nonzero)

    def start(self) -> Self:
        """Count the output."""
        self._layer.add_units(self._units, self._nonzero)
        return self

    def record_bias(self, units: int, nonzero: int) -> None:
        """Count the output with its bias instead, if that is what this is."""
        if not self._has_bias and self._own(units) == self._units:
            self._replace(units, nonzero)
        self._has_bias = True

    def record_relu(self, units: int, nonzero: int) -> None:
        """Count the output of the first ReLU instead."""
        if not self._rectified:
            self._replace(units, nonzero)
            self._rectified = True

    def slices(self, sizes: Sequence[int], nonzero: Sequence[int]) -> "list[LayerCall]":
        """The calls for the slices of the output, each of which may reach a ReLU of its own."""
        if self._rectified or sum(sizes) != self._units:
            return [self] * len(sizes)
        return [LayerCall(self._layer, *counts) for counts in zip(sizes, nonzero, strict=True)]

    def _replace(self, units: int, nonzero: int) -> None:
        before = self._units, self._nonzero
        self._units, self._nonzero = self._own(units), self._own(nonzero)
        self._layer.add_units(self._units - before[0], self._nonzero - before[1])

    def _own(self, count: int) -> int:
        part, whole = self._share
        return count * part // whole
