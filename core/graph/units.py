"""The calls of a traced net, as far as units are concerned: what each makes of them and needs.

A unit is an output channel of a convolution or an output of a linear. Through whatever treats each
unit by itself (activation functions, batch norm in evaluation, pooling, flattening) a unit stays
that unit, up to the next layer, which mixes them. Of each unit two things can be known: the
constant that it has for every image and at every place, and whether anything depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

By = Mapping[fx.Node, Tensor]
"""What is known of the units of a call's result, by the call."""

Mixing = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


@dataclass(frozen=True, eq=False)
class Step:
    """A call of which nothing is known: it may need all that it is given.

    Attributes:
        node: the call.
        units: of its result, along dimension 1; 0 where that is no tensor with such a dimension.
    """

    node: fx.Node
    units: int

    def constants(self, _known: By) -> Tensor:
        """The constant of each unit of the result, float64 [units]; NaN where it is not one.

        Args:
            _known: the constants of the results of the calls before.
        """
        return torch.full((self.units,), torch.nan, dtype=torch.float64)

    def needs(self, known: By, _needed: Tensor) -> dict[fx.Node, Tensor]:
        """Which units of the inputs anything depends on, booleans by the call that made them.

        Args:
            known: the constants of all calls' results.
            _needed: which units of this result anything depends on.
        """
        given = self.node.all_input_nodes
        return {node: torch.ones_like(known[node], dtype=torch.bool) for node in given}


@dataclass(frozen=True, eq=False)
class Look(Step):
    """It looks at a tensor's shape, not at its values."""

    def needs(self, _known: By, _needed: Tensor) -> dict[fx.Node, Tensor]:
        """Nothing."""
        return {}


@dataclass(frozen=True, eq=False)
class Each(Step):
    """It treats each unit by itself.

    Attributes:
        source: the call whose result's units these are.
        become: what constants become, float64 [units]; NaN where they would not stay constant.
        norm: the name of the batch norm that it is, if it is one.
        flattens: it flattens: each unit becomes a block of features.
    """

    source: fx.Node
    become: Callable[[Tensor], Tensor]
    norm: str | None = None
    flattens: bool = False

    def constants(self, known: By) -> Tensor:
        """Those of the source, as they become."""
        given = known[self.source]
        made = self.become(given.clone())  # it may write into what it is given
        return made.masked_fill(given.isnan() | ~made.isfinite(), torch.nan)

    def needs(self, _known: By, needed: Tensor) -> dict[fx.Node, Tensor]:
        """The units that are needed of the result."""
        return {self.source: needed}


@dataclass(frozen=True, eq=False)
class LayerStep(Step):
    """A linear or a convolution: every output may depend on every input.

    Attributes:
        source: the call whose result it is given.
        inputs: units of that.
        name: the module's path.
        module: the layer.
        padded: zeros lie around what it is given, so that a constant is none at the border.
    """

    source: fx.Node
    inputs: int
    name: str
    module: Mixing
    padded: bool

    @property
    def weight(self) -> Tensor:
        """[units, inputs, weights between a unit and an input]."""
        return self.module.weight.detach().cpu().reshape(self.units, self.inputs, -1)

    @property
    def bias(self) -> Tensor | None:
        """Float64 [units]."""
        bias = self.module.bias
        return None if bias is None else bias.detach().cpu().double()

    @property
    def connected(self) -> Tensor:
        """Where a weight between a unit and an input is not zero, booleans [units, inputs]."""
        nonzero = self.weight != 0
        # Without a copy where there is one weight between them, as in the largest layers.
        return nonzero[:, :, 0] if nonzero.shape[2] == 1 else nonzero.any(2)

    def constants(self, known: By) -> Tensor:
        """Of the units that read nothing but inputs which are the same constant everywhere."""
        given = known[self.source]
        same = self._everywhere(given)
        varies = self.connected.logical_and_(~same).any(1)
        total = self._folded(given, same)
        return total.masked_fill(varies | ~total.isfinite(), torch.nan)

    def needs(self, known: By, needed: Tensor) -> dict[fx.Node, Tensor]:
        """The inputs that some unit has to read."""
        return {self.source: self.reads(known, needed).any(0)}

    def reads(self, known: By, needed: Tensor) -> Tensor:
        """Which inputs each unit has to read, booleans [units, inputs].

        A unit that nothing needs reads none; an input that is constant is not read where the
        biases can take it in.
        """
        read = ~self._foldable(known[self.source])
        return self.connected.logical_and_(needed[:, None]).logical_and_(read)

    @torch.no_grad()
    def remove(self, known: By, needed: Tensor) -> None:
        """Set what is not read or needed to zero, and fold the constants that are not read.

        In place: a copy of the weight of a large layer is a large part of the net's memory.
        """
        given, weight, bias = known[self.source], self.module.weight, self.module.bias
        foldable = self._foldable(given)
        if bias is not None:
            bias.copy_(self._folded(given, foldable).masked_fill(~needed, 0.0))
        columns = foldable.repeat_interleave(weight.shape[1] // self.inputs)
        for dimension, gone in ((0, ~needed), (1, columns)):
            weight.index_fill_(dimension, gone.nonzero()[:, 0].to(weight.device), 0.0)

    def _foldable(self, given: Tensor) -> Tensor:
        """Which inputs are constants that the biases can take in, or zero."""
        return self._everywhere(given) if self.module.bias is not None else given == 0

    def _everywhere(self, given: Tensor) -> Tensor:
        """Which inputs are the same constant everywhere, zeros around them included."""
        return given == 0 if self.padded else given.isfinite()

    def _folded(self, given: Tensor, which: Tensor) -> Tensor:
        """The biases, with what comes of the constants of some inputs; float64 [units]."""
        some = (which & (given != 0)).nonzero()[:, 0]
        comes = self.weight[:, some].double().sum(2) @ given[some]
        return comes if self.bias is None else comes + self.bias
