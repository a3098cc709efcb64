"""Supported layers, the calls fused into them, and chains of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from core.graph.tracing import trace
from core.inference.sparse.chains import group_net
from core.inference.sparse.groups import Group, chains_of, groups_of, shape_of
from core.inference.sparse.layers import MaxPool, WeightLayer
from core.inference.sparse.simplify import simplify
from tests.core.random_nets import RandomNet, random_nets


def groups(net: nn.Module, side: int = 8) -> tuple[Group, ...]:
    traced = trace(net, torch.randn(3, 1, side, side))
    return tuple(groups_of(traced.net, simplify(traced)))


def small(*between: nn.Module, features: int = 144) -> nn.Module:
    """A convolution, modules, and a linear layer on their output."""
    return nn.Sequential(nn.Conv2d(1, 4, 3), *between, nn.Flatten(), nn.Linear(features, 5))


def test_relu_pooling_and_flatten_are_fused_into_a_layer() -> None:
    first, second = groups(small(nn.ReLU(), nn.MaxPool2d(2), nn.ReLU(), features=36))
    assert [type(layer) for layer in first.layers] == [WeightLayer, MaxPool]
    assert first.layers[0].relu
    assert first.layers[1].relu
    assert (first.input_shape, first.output_shape) == ((1, 8, 8), (4, 3, 3))
    assert [node.name for node in second.nodes] == ["flatten", "_5"]
    assert second.layer.weight.shape == (5, 4, 3, 3)
    assert second.source is first.nodes[-1]


UNSUPPORTED: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": lambda: small(nn.Sigmoid()),
    "average pooling": lambda: small(nn.AvgPool2d(2), features=36),
    "indices of a pooling": lambda: small(nn.AdaptiveAvgPool2d(1), features=4),
}


@pytest.mark.parametrize("build", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_an_unsupported_call_ends_a_group(build: Callable[[], nn.Module]) -> None:
    first, second = groups(build())
    assert len(first.layers) == 1
    assert not first.layer.relu
    assert chains_of((first, second)) == ((first,), (second,))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(1, 4, 3, padding=1, padding_mode="reflect"),
        nn.ConvTranspose2d(1, 4, 3),
        nn.Conv2d(1, 4, 3).double(),
    ],
)
def test_an_unsupported_layer_forms_no_group(layer: nn.Module) -> None:
    class With(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.to(next(self.layer.parameters()).dtype)).flatten(1)

    assert groups(With()) == ()


def test_a_result_with_two_readers_ends_a_chain() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.three = (nn.Conv2d(1, 1, 3, padding=1) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            x = self.one(x)
            return (self.three(self.two(x)) + x).flatten(1)

    names = [[group.name for group in chain] for chain in chains_of(groups(Branches()))]
    assert names == [["one"], ["two", "three"]]


@pytest.mark.parametrize(
    ("shape", "expected"), [((5,), (5, 1, 1)), ((5, 7), (5, 1, 7)), ((5, 6, 7), (5, 6, 7))]
)
def test_features_are_channels_and_one_dimension_is_a_row(
    shape: tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    assert shape_of(shape) == expected


@settings(max_examples=30)
@given(random_nets())
def test_groups_are_in_order_disjoint_and_run_alone(net: RandomNet) -> None:
    traced = trace(net, torch.randn(3, 1, 8, 8))
    in_order = list(groups_of(traced.net, simplify(traced)))
    order = {node: place for place, node in enumerate(traced.net.graph.nodes)}
    places = [order[node] for group in in_order for node in group.nodes]
    assert places == sorted(set(places))
    assert [group for chain in chains_of(in_order) for group in chain] == in_order
    for group in in_order:
        output = group_net(traced.net, group)(torch.randn(2, *group.input_shape))
        assert tuple(output.shape[1:]) == group.output_shape
