"""Simplified nets: batch norms folded, dropouts removed, reshapes flattened, same logits."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from torch import Tensor, nn

from core.graph.tracing import same_logits, trace
from core.inference.sparse.simplify import simplify
from core.nets.weights import copy_weights
from tests.core.random_nets import RandomNet, random_nets
from tests.core.training_loops import same

IMAGES = (3, 1, 8, 8)


@settings(max_examples=30)
@given(random_nets())
def test_a_simplified_net_has_the_same_logits_and_no_more_calls(net: RandomNet) -> None:
    images, before = torch.randn(IMAGES), copy_weights(net)
    traced = trace(net, images)
    calls = len(traced.net.graph.nodes)
    sizes = simplify(traced)
    nodes = list(traced.net.graph.nodes)
    assert len(nodes) <= calls
    with torch.no_grad():
        assert same_logits(traced.net(images.clone()), traced.logits)
    assert all(sizes[node][0] == 3 for node in nodes if sizes.get(node))
    kinds = {
        type(traced.net.get_submodule(node.target)) for node in nodes if node.op == "call_module"
    }
    assert nn.Dropout not in kinds
    assert same(before, copy_weights(net)), "a fold makes a layer of its own"


def targets(net: nn.Module) -> list[str]:
    """The remaining calls, without input and output."""
    traced = trace(net, torch.randn(IMAGES))
    simplify(traced)
    with torch.no_grad():
        assert same_logits(traced.net(traced.images.clone()), traced.logits)
    return [node.name for node in traced.net.graph.nodes][1:-1]


def test_a_batch_norm_is_folded_into_the_layer_before_it() -> None:
    conv, fc = nn.Conv2d(1, 4, 3), nn.Linear(144, 5)
    net = nn.Sequential(conv, nn.BatchNorm2d(4), nn.Flatten(), fc, nn.BatchNorm1d(5))
    assert targets(net) == ["_0", "flatten", "_3"]


def test_a_batch_norm_after_a_layer_called_twice_stays() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.norm(self.conv(x))).flatten(1)

    assert targets(Twice()) == ["conv", "norm", "conv_1", "flatten_1"]


def test_dropouts_are_removed_and_reshapes_become_flatten() -> None:
    class Reshapes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop, self.fc = nn.Dropout(), nn.Linear(64, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.drop(x).view(x.size(0), -1))

    assert targets(Reshapes()) == ["flatten", "fc"]


def test_a_module_with_a_hook_stays() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 5))
    net[1].register_forward_hook(lambda *_: None)
    assert "_1" in targets(net)
