"""Training a net of rounded numbers.

The net computes with the rounded numbers, and what a step of the optimiser makes of them goes to
exact ones behind them (the straight-through estimator of Bengio et al. 2013), which are rounded
again: a weight may come to share another value, and a shared value is the mean of its weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.formats.codebooks import Rounded


class Sharing:
    """Exact numbers behind rounded ones, while a model trains.

    Args:
        weights: the exact ones, a state_dict.
        rounded: the tensors that the model has in their places, by name.

    Attributes:
        rounded: those that it has now.
    """

    def __init__(self, weights: Mapping[str, Tensor], rounded: Mapping[str, Rounded]) -> None:
        self.rounded = dict(rounded)
        self._exact = {name: it.part(weights[name]) for name, it in rounded.items()}
        self._tensors = {name: it.tensor() for name, it in rounded.items()}

    @torch.no_grad()
    def after_step(self, model: nn.Module) -> None:
        """Take what the optimiser has moved to the exact numbers, and round them anew."""
        for name, it in self.rounded.items():
            parameter = model.get_parameter(name)
            self._exact[name] += it.part(parameter.detach().cpu() - self._tensors[name])
            self.rounded[name] = it.again(self._exact[name])
            self._tensors[name] = self.rounded[name].tensor()
            parameter.copy_(self._tensors[name])
