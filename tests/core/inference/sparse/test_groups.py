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


def test_a_layer_takes_relu_and_pooling_along_and_a_linear_its_flatten() -> None:
    first, second = groups(small(nn.ReLU(), nn.MaxPool2d(2), nn.ReLU(), features=36))
    assert [type(layer) for layer in first.layers] == [WeightLayer, MaxPool]
    assert first.layers[0].relu
    assert first.layers[1].relu
    assert (first.input_shape, first.output_shape) == ((1, 8, 8), (4, 3, 3))
    assert [node.name for node in second.nodes] == ["flatten", "_5"]
    assert second.layer.weight.shape == (5, 4, 3, 3)
    assert second.source is first.nodes[-1]


UNKNOWN: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": lambda: small(nn.Sigmoid()),
    "average pooling": lambda: small(nn.AvgPool2d(2), features=36),
    "indices of a pooling": lambda: small(nn.AdaptiveAvgPool2d(1), features=4),
}


@pytest.mark.parametrize("build", UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_kernels_do_not_know_ends_a_group(build: Callable[[], nn.Module]) -> None:
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
def test_a_layer_that_the_kernels_do_not_know_is_of_no_group(layer: nn.Module) -> None:
    class With(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.to(next(self.layer.parameters()).dtype)).flatten(1)

    assert groups(With()) == ()


def test_groups_follow_one_another_only_where_nothing_else_reads_what_is_between() -> None:
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
    ("given_shape", "expected"), [((5,), (5, 1, 1)), ((5, 7), (5, 1, 7)), ((5, 6, 7), (5, 6, 7))]
)
def test_features_are_channels_and_one_dimension_is_a_row(
    given_shape: tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    assert shape_of(given_shape) == expected


@settings(max_examples=30)
@given(random_nets())
def test_groups_come_in_order_share_no_call_and_run_alone_as_in_the_net(net: RandomNet) -> None:
    traced = trace(net, torch.randn(3, 1, 8, 8))
    found = list(groups_of(traced.net, simplify(traced)))
    order = {node: place for place, node in enumerate(traced.net.graph.nodes)}
    places = [order[node] for group in found for node in group.nodes]
    assert places == sorted(set(places))
    assert [group for chain in chains_of(found) for group in chain] == found
    for group in found:
        made = group_net(traced.net, group)(torch.randn(2, *group.input_shape))
        assert tuple(made.shape[1:]) == group.output_shape
