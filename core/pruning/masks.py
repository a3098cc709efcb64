"""Masks that keep pruned weights at zero.

Biases are never pruned. Masks are data beside a plain state_dict; nothing is reparametrized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.nets.layers import Layer
from core.nets.weights import Weights, load_into
from core.pruning.plans import check_sparsity
from core.pruning.thresholds import pruned_by, threshold


def sparsity_of(weight: Tensor) -> float:
    """The fraction of exact zeros in `weight`."""
    return 1.0 - int(weight.count_nonzero()) / weight.numel()


@dataclass(frozen=True)
class Masks:
    """Which weights are pruned; they are held at exactly zero.

    `pruned` maps names in the state_dict to booleans of the weight's shape.
    """

    pruned: dict[str, Tensor]

    @classmethod
    def of(
        cls, weights: Mapping[str, Tensor], layers: Sequence[Layer], plan: Mapping[str, float]
    ) -> Masks:
        """Prune `weights` by magnitude, layer by layer, to the sparsities of `plan`.

        Another criterion passes its importances as `weights`, see `core.criteria.ranking`. Weights
        that are already zero stay pruned at any lower sparsity. Raises InputError if a sparsity is
        not in [0, 1].
        """
        masks: dict[str, Tensor] = {}
        for layer in layers:
            weight = weights[layer.key]
            sparsity = check_sparsity(plan[layer.name], layer.name)
            pruned = pruned_by(weight, threshold(weight, sparsity))
            masks |= dict.fromkeys(layer.keys, pruned)
        return cls(masks)

    def to(self, device: torch.device | str) -> Masks:
        """The same masks on a device."""
        return Masks({name: pruned.to(device) for name, pruned in self.pruned.items()})

    def kept(self, layer: Layer) -> int:
        """The number of weights of `layer` that are kept."""
        return layer.elements - int(self.pruned[layer.key].sum())

    def apply(self, weights: Mapping[str, Tensor]) -> Weights:
        """A copy of a state_dict with the pruned weights set to zero."""
        copies = {name: tensor.clone() for name, tensor in weights.items()}
        for name in self.pruned.keys() & copies.keys():
            copies[name].masked_fill_(self.pruned[name], 0.0)
        return copies

    def load(self, model: nn.Module, weights: Mapping[str, Tensor]) -> None:
        """Load a state_dict into `model` with the pruned weights set to zero, in place.

        The model shares no memory with `weights`.
        """
        load_into(model, weights)
        self.to(next(model.parameters()).device).hold(model)

    @torch.no_grad()
    def hold(self, model: nn.Module, optimizer: Optimizer | None = None) -> None:
        """Set pruned weights, and the optimizer's state for them, to exactly zero.

        Called after every step, this keeps pruned weights at zero under momentum, adaptive steps
        and weight decay: the step's update is undone, and no state remains to move them later.
        It fills rather than multiplies, because 0 x inf is NaN.
        """
        for name, pruned in self.pruned.items():
            parameter = model.get_parameter(name)
            parameter.masked_fill_(pruned, 0.0)
            state = optimizer.state.get(parameter, {}) if optimizer else {}
            for value in state.values():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    value.masked_fill_(pruned, 0.0)

    def revived(self, weights: Mapping[str, Tensor]) -> int:
        """How many pruned weights are not exactly zero in `weights`; always 0."""
        return sum(
            int(weights[name].detach()[pruned].count_nonzero())
            for name, pruned in self.pruned.items()
        )


NO_MASKS = Masks({})
"""Nothing is pruned."""
