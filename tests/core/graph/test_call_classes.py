"""Which calls of a net are known to treat units one by one, and which may do anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from hypothesis import given, settings
from torch import Tensor, nn

from core.graph.call_classes import unit_calls
from core.graph.tracing import trace
from core.graph.units import LayerCall, ShapeCall, UnitCall, UnitwiseCall
from tests.core.random_nets import RandomNet, random_nets


class Between(nn.Module):
    """A convolution, any function, and a linear layer that reads its result."""

    def __init__(self, function: Callable[[Tensor], Tensor], features: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.between = function
        self.fc = nn.Linear(features, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.between(self.conv(x)).flatten(1))


def calls_of(net: nn.Module, side: int = 8) -> list[UnitCall]:
    images = torch.randn(3, 1, side, side)
    return list(unit_calls(trace(net, images), net).values())


def between(function: Callable[[Tensor], Tensor]) -> UnitCall:
    """The classified call of a function between a convolution and a linear layer."""
    features = function(torch.randn(1, 4, 6, 6)).flatten(1).shape[1]
    if isinstance(function, nn.Module):
        function = function.eval()
    return calls_of(Between(function, features))[2]


UNITWISE = {
    "relu": F.relu,
    "module": nn.ReLU(),
    "in place": nn.ReLU(inplace=True),
    "method": lambda x: x.sigmoid(),
    "dropout": nn.Dropout(0.5),
    "dropout that is off": lambda x: F.dropout(x, 0.5, training=False),
    "norm": nn.BatchNorm2d(4),
    "max pooling": nn.MaxPool2d(2),
    "average pooling": nn.AvgPool2d(2),
    "adaptive pooling": nn.AdaptiveAvgPool2d(1),
    "mean over positions": lambda x: x.mean((2, 3)),
    "flattening": lambda x: x.flatten(1),
}


@pytest.mark.parametrize("function", UNITWISE.values(), ids=UNITWISE)
def test_unitwise_functions_are_recognized(function: Callable[[Tensor], Tensor]) -> None:
    call = between(function)
    assert type(call) is UnitwiseCall
    assert call.units == 4


MIXING = {
    "addition": lambda x: x + x.flip(1),
    "softmax over units": lambda x: x.softmax(1),
    "mean over units": lambda x: x.mean(1, keepdim=True),
    "dropout that is on": lambda x: F.dropout(x, 0.0, training=True),
    "norm over layers": nn.LayerNorm([4, 6, 6]),
    "reshape that mixes": lambda x: x.reshape(x.size(0), 2, -1),
    "rounding": lambda x: x.round(),
    "grouped convolution": nn.Conv2d(4, 4, 1, groups=2),
}


@pytest.mark.parametrize("function", MIXING.values(), ids=MIXING)
def test_functions_that_may_mix_units_are_not_unitwise(
    function: Callable[[Tensor], Tensor],
) -> None:
    assert all(type(call) is not UnitwiseCall for call in _of_between(function))


def _of_between(function: Callable[[Tensor], Tensor]) -> list[UnitCall]:
    features = function(torch.randn(1, 4, 6, 6)).flatten(1).shape[1]
    calls = calls_of(Between(function, features))
    names = [call.node.name for call in calls]
    last = max(place for place, name in enumerate(names) if name.startswith("flatten"))
    return calls[2:last]


def test_padding_of_an_average_changes_constants_and_that_of_a_maximum_does_not() -> None:
    constants = torch.tensor([0.0, 2.0, 2.0, float("nan")], dtype=torch.float64)
    for pool, kept in ((nn.AvgPool2d(3, padding=1), False), (nn.MaxPool2d(3, padding=1), True)):
        call = between(pool)
        mapped = call.constants({call.source: constants})
        assert mapped[0] == 0.0
        assert (mapped[1] == 2.0) == kept


def test_a_weight_that_two_calls_use_is_of_no_known_layer() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(64, 64)
            self.second = nn.Linear(64, 64)
            self.second.weight = self.first.weight
            self.head = nn.Linear(64, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.second(self.first(x.flatten(1))))

    layers = {call.name for call in calls_of(Tied()) if isinstance(call, LayerCall)}
    assert layers == {"head"}


def test_a_module_with_a_hook_is_not_known() -> None:
    relu = nn.ReLU()
    relu.register_forward_hook(lambda *_: None)
    assert type(between(relu)) is UnitCall


def test_reading_a_shape_is_told_from_reading_values() -> None:
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(64, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x.reshape(x.size(0), -1))

    kinds = {call.node.name: type(call) for call in calls_of(Reads())}
    assert kinds["size"] is ShapeCall


@settings(max_examples=30)
@given(random_nets())
def test_every_call_is_classified_once_and_units_are_dimension_one(net: RandomNet) -> None:
    images = torch.randn(3, 1, 8, 8)
    traced = trace(net, images)
    calls = unit_calls(traced, net)
    assert list(calls) == list(traced.net.graph.nodes)
    for call in calls.values():
        shape = traced.shapes[-1].get(call.node, ())
        if isinstance(call, LayerCall):
            assert call.units == len(call.module.weight) == shape[1]
            features = traced.shapes[-1][call.source][1]
            assert features % call.inputs == 0, "a unit is a block of features once flattened"
        elif type(call) is UnitCall:
            assert call.units == (shape[1] if len(shape) > 1 else 0)
