"""Calls of a traced net, as seen by units: what a call does to each unit, and which it needs.

A unit is an output channel of a convolution or an output feature of a linear layer. A call that
treats units one by one (activation function, batch norm in evaluation mode, pooling, flattening)
keeps them apart; the next layer mixes them. Two facts about a unit matter: the constant it holds
for every image and position, if it holds one, and whether any later call depends on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

PerCall = Mapping[fx.Node, Tensor]
"""A tensor with one entry per unit, for the result of each call."""

Mixing = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


@dataclass(frozen=True, eq=False)
class UnitCall:
    """A call nothing is known about: it may need everything it reads.

    Attributes:
        units: size of dimension 1 of its result; 0 if the result has no such dimension.
    """

    node: fx.Node
    units: int

    def constants(self, _known: PerCall) -> Tensor:
        """The constant that each unit of the result holds, float64 [units]; NaN if it varies.

        `_known` are the constants of all earlier calls.
        """
        return torch.full((self.units,), torch.nan, dtype=torch.float64)

    def needs(self, known: PerCall, _needed: Tensor) -> dict[fx.Node, Tensor]:
        """Which input units are needed, as booleans [units] for each call that produced them.

        `known` are the constants of all calls; `_needed`, booleans [units], are the units of this
        result that later calls need.
        """
        sources = self.node.all_input_nodes
        return {node: torch.ones_like(known[node], dtype=torch.bool) for node in sources}


@dataclass(frozen=True, eq=False)
class ShapeCall(UnitCall):
    """A call that reads a tensor's shape, not its values."""

    def needs(self, _known: PerCall, _needed: Tensor) -> dict[fx.Node, Tensor]:
        """No unit is needed."""
        return {}


@dataclass(frozen=True, eq=False)
class UnitwiseCall(UnitCall):
    """A call that treats units one by one.

    Attributes:
        source: the call whose result it reads.
        map_constants: maps the constants of the source's units, float64 [units], to its own; NaN
            where a unit is no longer constant.
        norm: the name of the batch norm module, if the call is one.
        flattens: whether it flattens, so that each unit becomes a block of features.
    """

    source: fx.Node
    map_constants: Callable[[Tensor], Tensor]
    norm: str | None = None
    flattens: bool = False

    def constants(self, known: PerCall) -> Tensor:
        """The mapped constants of the source."""
        values = known[self.source]
        mapped = self.map_constants(values.clone())  # the call may write into its input
        return mapped.masked_fill(values.isnan() | ~mapped.isfinite(), torch.nan)

    def needs(self, _known: PerCall, needed: Tensor) -> dict[fx.Node, Tensor]:
        """The units of the source that are needed of the result."""
        return {self.source: needed}


@dataclass(frozen=True, eq=False)
class LayerCall(UnitCall):
    """A linear layer or convolution: every output may depend on every input.

    Attributes:
        source: the call whose result it reads.
        inputs: units of that result.
        name: the module's path.
        padded: whether it pads its input with zeros, so that a constant varies at the border.
    """

    source: fx.Node
    inputs: int
    name: str
    module: Mixing
    padded: bool

    @property
    def weight(self) -> Tensor:
        """The weight [units, inputs, weights per pair]."""
        return self.module.weight.detach().cpu().reshape(self.units, self.inputs, -1)

    @property
    def connected(self) -> Tensor:
        """Whether any weight between a unit and an input is nonzero, booleans [units, inputs]."""
        nonzero = self.weight != 0
        # No copy if a pair has one weight, as in the largest layers.
        return nonzero[:, :, 0] if nonzero.shape[2] == 1 else nonzero.any(2)

    def constants(self, known: PerCall) -> Tensor:
        """The constants of units that read only inputs that are constant everywhere."""
        values = known[self.source]
        same = self._everywhere(values)
        varies = self.connected.logical_and_(~same).any(1)
        total = self._folded(values, same)
        return total.masked_fill(varies | ~total.isfinite(), torch.nan)

    def needs(self, known: PerCall, needed: Tensor) -> dict[fx.Node, Tensor]:
        """The inputs that at least one unit has to read."""
        return {self.source: self.reads(known, needed).any(0)}

    def reads(self, known: PerCall, needed: Tensor) -> Tensor:
        """Which inputs each unit must read, booleans [units, inputs].

        A unit that is not needed reads none. A constant input need not be read if the bias can
        absorb it.
        """
        read = ~self._foldable(known[self.source])
        return self.connected.logical_and_(needed[:, None]).logical_and_(read)

    @torch.no_grad()
    def remove(self, known: PerCall, needed: Tensor) -> None:
        """Zero the weights of unneeded units and unread inputs; fold their constants into biases.

        Works in place: a copy of a large layer's weight takes a large share of the net's memory.
        """
        values, weight, bias = known[self.source], self.module.weight, self.module.bias
        foldable = self._foldable(values)
        if bias is not None:
            bias.copy_(self._folded(values, foldable).masked_fill(~needed, 0.0))
        columns = foldable.repeat_interleave(weight.shape[1] // self.inputs)
        for dimension, gone in ((0, ~needed), (1, columns)):
            weight.index_fill_(dimension, gone.nonzero()[:, 0].to(weight.device), 0.0)

    def _foldable(self, values: Tensor) -> Tensor:
        """Which inputs are zero, or constants that the bias can absorb."""
        return self._everywhere(values) if self.module.bias is not None else values == 0

    def _everywhere(self, values: Tensor) -> Tensor:
        """Which inputs hold the same constant everywhere, padding included."""
        return values == 0 if self.padded else values.isfinite()

    def _folded(self, values: Tensor, which: Tensor) -> Tensor:
        """The biases plus the contribution of the constant inputs in `which`, float64 [units]."""
        some = (which & (values != 0)).nonzero()[:, 0]
        contribution = self.weight[:, some].double().sum(2) @ values[some]
        bias = self.module.bias
        return contribution if bias is None else contribution + bias.detach().cpu().double()
