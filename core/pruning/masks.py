"""Magnitude pruning, layer by layer, and the masks that keep pruned weights at zero.

The rule is that of the reference experiment: importance is |w|, the threshold of a layer is its
k-th smallest magnitude with k = round(sparsity x elements), and weights strictly above it are kept.
Biases are never pruned. Masks are data beside a plain state_dict; nothing is reparametrized.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.nets.layers import Layer
from core.nets.weights import Weights
from core.pruning.kth_magnitude import kth_magnitude
from core.pruning.plans import check_sparsity, prune_count


def threshold(weight: Tensor, sparsity: float) -> float:
    """The k-th smallest magnitude of `weight`, k = round(sparsity x elements); 0.0 if k is 0.

    Raises InputError if the sparsity is not in [0, 1].
    """
    k = prune_count(check_sparsity(sparsity, "the layer"), weight.numel())
    return kth_magnitude(weight, k) if k else 0.0


def keep_mask(weight: Tensor, sparsity: float) -> Tensor:
    """Which weights stay, booleans of the weight's shape: those strictly above the threshold.

    All magnitudes equal to the threshold go, so more than k may be pruned, as in the reference.
    Sparsity 0 keeps all weights and 1 keeps none; raises InputError outside [0, 1].
    """
    if prune_count(check_sparsity(sparsity, "the layer"), weight.numel()) == 0:
        return torch.ones_like(weight, dtype=torch.bool)
    return above(weight, threshold(weight, sparsity))


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

        Weights that are already zero stay pruned at any lower sparsity. Raises InputError if a
        sparsity is not in [0, 1].
        """
        masks: dict[str, Tensor] = {}
        for layer in layers:
            weight = weights[layer.key]
            sparsity = check_sparsity(plan[layer.name], layer.name)
            # A zero is never above a threshold, so zeros go at any sparsity.
            pruned = above(weight, threshold(weight, sparsity)).logical_not_()
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
        model.load_state_dict(weights)
        self.to(next(model.parameters()).device).hold(model)

    @torch.no_grad()
    def hold(self, model: nn.Module, optimizer: Optimizer | None = None) -> None:
        """Set pruned weights, and the optimizer's state for them, to exactly zero.

        Called after every step, this keeps pruned weights at zero under momentum, adaptive steps
        and weight decay: the step's update is undone, and no state remains to move them later.
        Filling rather than multiplying, because 0 x inf is NaN.
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


def above(weight: Tensor, threshold: float) -> Tensor:
    """Which magnitudes are strictly above a threshold, without allocating the magnitudes."""
    return (weight > threshold).logical_or_(weight < -threshold)
