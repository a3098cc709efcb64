"""Training a quantized net (straight-through estimator).

The net computes with rounded values. The optimizer updates the exact values behind them (Bengio et
al. 2013), which are then rounded again: a weight may switch to another shared value, and a
shared value is the mean of its weights.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.formats.codebooks import QuantizedTensor


class StraightThrough:
    """The exact values behind quantized tensors, while a model trains.

    `weights` is a state_dict of exact values. `quantized` holds the model's quantized tensors by
    name, and changes with each step.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], quantized: Mapping[str, QuantizedTensor]
    ) -> None:
        self.quantized = dict(quantized)
        self._exact = {name: tensor.part(weights[name]) for name, tensor in quantized.items()}
        self._tensors = {name: tensor.tensor() for name, tensor in quantized.items()}

    @torch.no_grad()
    def after_step(self, model: nn.Module) -> None:
        """Apply the optimizer's update to the exact values, and round them again."""
        for name, tensor in self.quantized.items():
            parameter = model.get_parameter(name)
            self._exact[name] += tensor.part(parameter.detach().cpu() - self._tensors[name])
            self.quantized[name] = tensor.requantized(self._exact[name])
            self._tensors[name] = self.quantized[name].tensor()
            parameter.copy_(self._tensors[name])
