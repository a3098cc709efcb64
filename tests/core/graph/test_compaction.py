"""A compacted net has the logits of the pruned one, and layers as small as possible."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from core.graph.compaction import compacted
from core.graph.prefix_cache import UntraceableError
from core.nets.layers import parameter_count
from core.nets.weights import copy_weights
from tests.core.graph.removing import SHARES, is_close, thin_out
from tests.core.random_nets import RandomNet, random_nets
from tests.core.training_loops import same


@settings(max_examples=25)
@given(random_nets(), SHARES)
def test_a_compacted_net_has_the_logits_and_no_more_parameters(
    net: RandomNet, shares: tuple[int, float, float, float]
) -> None:
    thin_out(net, *shares)
    images = torch.randn(5, 1, 8, 8)
    before = copy_weights(net)
    with torch.no_grad():
        logits = net(images.clone())
        small = compacted(net, images[:3])
        assert is_close(small(images.clone()), logits)
    assert parameter_count(small) <= parameter_count(net)
    assert same(before, copy_weights(net)), "the net itself stays"


def two_layers() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 4)
    ).eval()


@pytest.mark.parametrize("dead", [[0], [1, 4], [0, 1, 2, 3, 4]])
def test_layers_keep_just_the_units_that_are_read(dead: list[int]) -> None:
    torch.manual_seed(0)
    net = two_layers()
    with torch.no_grad():
        net[4].weight.reshape(4, 6, 36)[:, dead] = 0.0
    images = torch.randn(3, 1, 8, 8)
    small = compacted(net, images)
    kept = 6 - len(dead)
    conv, norm, fc = (small.get_submodule(name) for name in ("0", "1", "4"))
    assert (conv.out_channels, tuple(conv.weight.shape)) == (kept, (kept, 1, 3, 3))
    assert (norm.num_features, len(norm.running_mean)) == (kept, kept)
    assert (fc.in_features, tuple(fc.weight.shape)) == (36 * kept, (4, 36 * kept))
    with torch.no_grad():
        assert is_close(small(images), net(images))


def test_a_net_without_any_needed_unit_keeps_one() -> None:
    net = two_layers()
    with torch.no_grad():
        net[4].weight.zero_()
    small = compacted(net, torch.randn(3, 1, 8, 8))
    assert small.get_submodule("0").out_channels == 1
    with torch.no_grad():
        assert is_close(small(torch.randn(2, 1, 8, 8)), net(torch.randn(2, 1, 8, 8)))


def test_a_reshape_that_names_a_number_of_features_becomes_a_flatten() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 6, 3)
            self.fc = nn.Linear(216, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv(x).view(-1, 216))

    net = Named().eval()
    with torch.no_grad():
        net.fc.weight.reshape(4, 6, 36)[:, 2] = 0.0
    images = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        assert is_close(compacted(net, images)(images), net(images))


def test_a_net_that_counts_its_units_is_refused() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(64, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.first(x.flatten(1)))
            return self.second(x) * x.shape[1]

    net = Counts().eval()
    with torch.no_grad():
        net.second.weight[:, 0] = 0.0
    with pytest.raises(UntraceableError, match="fewer units"):
        compacted(net, torch.randn(3, 1, 8, 8))
