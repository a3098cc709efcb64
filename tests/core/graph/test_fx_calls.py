"""Calls of a traced net: modules, functions and methods are read alike."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, fx, nn

from core.graph.fx_calls import Call, reads_only_shape


class Calls(nn.Module):
    """Pooling and dropout, written in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2, padding=1)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(x)
        x = F.max_pool2d(x, 2, padding=1)
        x = F.max_pool2d(x, 2, 2, 1)
        x = self.drop(x)
        x = F.dropout(x, 0.5, training=False)
        x = F.dropout(x)
        x = x.clamp(min=0)
        return x.reshape(x.size(0), x.shape[1])


@pytest.fixture(scope="module")
def calls() -> dict[str, Call]:
    net = fx.symbolic_trace(Calls())
    nodes = [node for node in net.graph.nodes if node.args and isinstance(node.args[0], fx.Node)]
    return {node.name: Call(net, node, node.args[0]) for node in nodes if node.op != "output"}


def test_an_option_is_read_of_an_attribute_a_place_or_a_name(calls: dict[str, Call]) -> None:
    pools = [call for name, call in calls.items() if "pool" in name]
    assert len(pools) == 3
    assert [call.option("padding", 3, 0) for call in pools] == [1, 1, 1]
    assert [call.option("dilation", 4, 1) for call in pools] == [1, 1, 1]


def test_the_kind_of_a_call_is_its_module_function_or_method(calls: dict[str, Call]) -> None:
    assert calls["pool"].kind is nn.MaxPool2d
    assert calls["drop"].kind is nn.Dropout
    assert calls["clamp"].kind == "clamp"
    assert calls["dropout"].kind is F.dropout


def test_a_dropout_function_is_an_identity_only_where_it_is_off(calls: dict[str, Call]) -> None:
    assert calls["drop"].is_identity
    assert calls["dropout"].is_identity
    assert not calls["dropout_1"].is_identity
    assert not calls["pool"].is_identity


@pytest.mark.parametrize("name", ["pool", "max_pool2d", "max_pool2d_1", "dropout", "clamp"])
def test_a_call_can_be_made_of_another_tensor(name: str, calls: dict[str, Call]) -> None:
    value = torch.randn(2, 3, 6, 6)
    expected = {
        "pool": lambda: F.max_pool2d(value, 2, padding=1),
        "max_pool2d": lambda: F.max_pool2d(value, 2, padding=1),
        "max_pool2d_1": lambda: F.max_pool2d(value, 2, padding=1),
        "dropout": lambda: value,
        "clamp": lambda: value.clamp(min=0),
    }[name]()
    assert calls[name].on(value).equal(expected)


def test_a_module_with_hooks_does_more_than_its_kind_says() -> None:
    module = Calls()
    module.pool.register_forward_pre_hook(lambda *_: None)
    net = fx.symbolic_trace(module)
    node = next(node for node in net.graph.nodes if node.target == "pool")
    assert Call(net, node, node.args[0]).has_hooks


def test_sizes_and_shapes_are_read_without_values(calls: dict[str, Call]) -> None:
    only_shape = {name for name, call in calls.items() if reads_only_shape(call.node)}
    assert only_shape == {"size", "getattr_1"}
