"""Lazy layers learn their sizes from a trial batch; nothing else changes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Splits
from core.errors import InputError
from core.events import drain
from core.nets.layers import lazy_tensors, prunable_layers
from core.nets.trial import fit, learn_sizes, try_forward
from core.nets.weights import copy_weights
from tests.core import peoples_nets
from tests.core.peoples_nets import Lazy
from tests.core.training.test_first_step import images
from tests.core.training_loops import same

DATA = Splits(images(12), images(12), images(12))
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


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (peoples_nets.Grows, r"adds extra\.weight and 1 more: create it in __init__"),
        (peoples_nets.Shrinks, r"removes unused\.weight and 1 more: keep it"),
    ],
)
def test_a_forward_that_adds_or_removes_weights_is_refused(
    kind: type[nn.Module], said: str
) -> None:
    said = rf"forward\(\) \(peoples_nets.py line \d+\) {said}"
    for call in (lambda: drain(fit(kind(), DATA)), lambda: try_forward(kind(), IMAGES, 10)):
        with pytest.raises(InputError, match=said):
            call()


def test_a_net_that_cannot_be_moved_is_refused() -> None:
    with pytest.raises(InputError, match=r"to\(\) raised ValueError: no moving today \(peoples"):
        drain(fit(peoples_nets.CannotBeMoved(), DATA))


def test_what_forward_caches_without_storing_it_is_fine() -> None:
    net = peoples_nets.Caches()
    before = copy_weights(net)
    drain(fit(net, DATA, loads=True))
    assert same(copy_weights(net), before)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (peoples_nets.Remembers, r"changes the shape of last, .*persistent=False"),
        (peoples_nets.CannotBeLoaded, r"load_state_dict\(\) raised ValueError: no loading today"),
        (peoples_nets.CannotBeStored, r"state_dict\(\) raised OwnStop: no state today"),
    ],
)
def test_a_net_whose_weights_cannot_be_loaded_is_only_measured(
    kind: type[nn.Module], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        drain(fit(kind(), DATA, loads=True))
    drain(fit(kind(), DATA))
