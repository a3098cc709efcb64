"""Lazy layers learn their sizes from a trial batch; nothing else changes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.nets.layers import lazy_tensors, prunable_layers
from core.nets.trial import learn_sizes
from tests.core.peoples_nets import Lazy

IMAGES = torch.ones(2, 1, 16, 16)


class Mixed(nn.Module):
    """Lazy layers, one of them for training alone, beside a norm with statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.late = nn.BatchNorm2d(1), nn.LazyBatchNorm2d()
        self.head, self.aux = nn.LazyLinear(10), nn.LazyLinear(10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.late(self.norm(x)).flatten(1)
        return self.head(x) + self.aux(x) if self.training else self.head(x)


def test_sizes_are_learned_and_nothing_else_changes() -> None:
    net = Mixed().train()
    net.norm.eval()
    random = torch.get_rng_state()
    learn_sizes(net, IMAGES)
    assert lazy_tensors(net) == []
    assert net.head.weight.shape == net.aux.weight.shape == (10, 256)
    assert (net.training, net.norm.training, net.aux.training) == (True, False, True)
    assert float(net.norm.running_mean) == 0
    assert torch.equal(torch.get_rng_state(), random)


def test_the_layers_of_a_lazy_net_are_known_after_a_batch() -> None:
    net = Lazy()
    with pytest.raises(InputError, match=r"lazy '0.weight' has no size yet: run a batch of images"):
        prunable_layers(net)
    learn_sizes(net, IMAGES)
    assert [layer.shape for layer in prunable_layers(net)] == [
        (6, 1, 3, 3), (20, 1176), (10, 20),
    ]  # fmt: skip


def test_a_lazy_layer_that_is_never_called_is_named() -> None:
    net = nn.ModuleList([nn.LazyLinear(10), nn.LazyLinear(10)])
    net.forward = lambda x: net[0](x.flatten(1))
    with pytest.raises(InputError, match=r"'1.weight' cannot learn .*does not use it"):
        learn_sizes(net, IMAGES)
