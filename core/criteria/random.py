"""Random: the control that every other criterion has to beat."""

from collections.abc import Sequence

import torch
from torch import nn

from core.criteria.criterion import Importance, Sample
from core.nets.layers import Layer


class Random:
    """Uniform random numbers, the same for the same seed, whatever the weights are.

    The control of Blalock et al. 2020, "What is the State of Neural Network Pruning?".
    """

    name = "random"

    def importance(self, model: nn.Module, layers: Sequence[Layer], sample: Sample) -> Importance:
        """See `Criterion.importance`; no image is used."""
        generator = torch.Generator().manual_seed(sample.seed)
        return {layer.name: torch.rand(layer.shape, generator=generator) for layer in layers}
