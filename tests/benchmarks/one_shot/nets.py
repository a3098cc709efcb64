"""The nets that ship, and how far they are pruned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from torch import nn

import core
from core.data.batches import Splits
from core.events import Accuracy
from core.formats.weights_files import load_weights
from core.nets.layers import prunable_layers
from core.nets.zoo import model_spec
from core.pruning.plans import Plan
from core.pruning.presets import preset_plan

SEEDS = (0, 1, 2)
"""Of the sample of training images."""


@dataclass(frozen=True)
class Case:
    """A net and a preset."""

    model: str
    preset: str

    def dense(self) -> nn.Module:
        """The net with its shipped weights, in evaluation mode."""
        spec = model_spec(self.model)
        net = spec.build()
        net.load_state_dict(load_weights(spec.shipped_weights, net))
        return net.eval()

    def plan(self) -> Plan:
        """The sparsity of each layer."""
        names = [layer.name for layer in prunable_layers(self.dense())]
        return preset_plan(self.preset, self.model, names)


AGGRESSIVE = Case("cnn5", "aggressive")
MODERATE = Case("cnn5", "moderate")
LENET_300_100 = Case("lenet-300-100", "han2015")
LENET_5 = Case("lenet-5", "han2015")
CASES = (AGGRESSIVE, MODERATE, LENET_300_100, LENET_5)


@cache
def mnist() -> Splits:
    """The images."""
    return core.load("mnist")


def accuracy(net: nn.Module, data: Splits | None = None) -> Accuracy:
    """Of a net on validation and test."""
    return core.evaluate(net, mnist() if data is None else data)
