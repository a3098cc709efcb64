"""Dead units: removing them changes no logit, and no other unit could be removed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import core
from core.data.batches import Splits
from core.formats.weights_files import load_weights
from core.graph.compaction import compacted
from core.graph.dead_units import remove_dead
from core.nets.layers import parameter_count
from core.nets.zoo import model_spec
from tests.core.graph.removing import (
    IMAGES,
    SHARES,
    assert_removed_exactly,
    is_close,
    nonzero,
    sequence,
    set_unit,
    thin_out,
)
from tests.core.random_nets import RandomNet, random_nets

pytestmark = pytest.mark.usefixtures("one_thread")


ACTIVATIONS: tuple[Callable[[], nn.Module], ...] = (
    nn.ReLU, nn.Sigmoid, nn.GELU, lambda: nn.LeakyReLU(0.1), nn.Identity,
)  # fmt: skip


class Chain(nn.Module):
    """A chain of convolutions and linear layers, with anything that may lie between them."""

    def __init__(self, draw: Callable) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        channels, size = 1, 12
        for _ in range(draw(st.integers(1, 3))):
            wide, padding = draw(st.integers(1, 5)), draw(st.sampled_from([0, 1]))
            mode = draw(st.sampled_from(["zeros", "zeros", "circular"]))
            bias = draw(st.booleans())
            how = {"padding": padding, "padding_mode": mode, "bias": bias}
            parts.append(nn.Conv2d(channels, wide, 3, **how))
            channels, size = wide, size - 2 + 2 * padding
            if draw(st.booleans()):
                parts.append(nn.BatchNorm2d(wide, affine=draw(st.booleans())))
            parts.append(draw(st.sampled_from(ACTIVATIONS))())
            pool = draw(st.sampled_from(["none", "max", "average", "dropout"]))
            if pool in ("max", "average") and size >= 6:
                kind = nn.MaxPool2d if pool == "max" else nn.AvgPool2d
                edge = draw(st.sampled_from([0, 1]))
                parts.append(kind(2, padding=edge))
                size = (size + 2 * edge) // 2
            elif pool == "dropout":
                parts.append(nn.Dropout2d())
        parts.append(nn.Flatten())
        features = channels * size * size
        for wide in (draw(st.integers(1, 6)), 4):
            parts += [nn.Linear(features, wide, bias=draw(st.booleans())), nn.Softplus()]
            features = wide
        self.parts = nn.Sequential(*parts[:-1])

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.parts(x)
        return logits


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    torch.manual_seed(draw(st.integers(0, 1000)))
    net = Chain(draw)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            parts = (module.running_mean, module.running_var, module.weight, module.bias)
            for tensor in parts:
                if tensor is not None:
                    tensor.data.uniform_(0.1, 0.7)
    return net.eval()


@settings(max_examples=15)
@given(net=chains(), shares=SHARES)
def test_a_chain_gives_the_same_logits_without_its_dead_units(net: Chain, shares) -> None:
    thin_out(net, *shares)
    dead_units = assert_removed_exactly(net, torch.randn(9, 1, 12, 12))
    light = compacted(net, torch.randn(2, 1, 12, 12))
    assert parameter_count(light) == parameter_count(net) - dead_units.parameters


@settings(max_examples=10)
@given(net=random_nets(), shares=SHARES)
def test_any_net_gives_the_same_logits_without_its_dead_units(net: RandomNet, shares) -> None:
    thin_out(net, *shares)
    assert_removed_exactly(net, torch.randn(5, 1, 8, 8))


class TestBorders:
    """A constant channel varies at the border of a layer or pool that pads with zeros."""

    @pytest.mark.parametrize(
        ("between", "bias", "padding", "dead"),
        [
            ([], 0.5, 1, 0),
            ([], 0.0, 1, 1),
            ([nn.ReLU()], -0.5, 1, 1),
            ([nn.Sigmoid()], -0.5, 1, 0),
            ([nn.Sigmoid()], -0.5, 0, 1),
            ([], 0.5, "same", 0),
            ([], 0.5, "valid", 1),
            ([nn.MaxPool2d(3, 2, padding=1)], 0.5, 0, 1),
            ([nn.MaxPool2d(2, 2, padding=1, dilation=2)], 0.5, 0, 0),
            ([nn.AvgPool2d(3, 2, padding=1)], 0.5, 0, 0),
            ([nn.AvgPool2d(2, divisor_override=3)], 0.5, 0, 0),
            ([nn.AvgPool2d(2)], 0.5, 0, 1),
            ([nn.AdaptiveAvgPool2d(3)], 0.5, 0, 1),
            ([nn.BatchNorm2d(3)], 0.5, 0, 1),
            ([nn.BatchNorm2d(3), nn.ReLU()], 0.0, 1, 0),
            ([nn.ReLU(), nn.Dropout(0.5), nn.Identity()], 0.5, 0, 1),
            ([nn.PReLU(3)], 0.5, 0, 0),
            ([nn.InstanceNorm2d(3)], 0.5, 0, 0),
        ],
    )
    def test_a_constant_channel_is_folded_into_the_next_biases(
        self, between, bias: float, padding, dead: int
    ) -> None:
        net = sequence(
            nn.Conv2d(1, 3, 3), *between, nn.Conv2d(3, 2, 3, padding=padding), nn.Flatten()
        )
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.fill_(-0.5)
        set_unit(net[0], 1, bias)
        dead_units = assert_removed_exactly(net, IMAGES)
        assert dead_units.units["0"] == dead
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert [bool(module.weight[1]), bool(module.bias[1])] == [not dead, False]
        if dead:
            assert not net[0].bias[1]
            assert not net[len(between) + 1].weight[:, 1].any()

    def test_reflect_padding_repeats_a_constant(self) -> None:
        net = sequence(
            nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), nn.Flatten()
        )
        set_unit(net[0], 1, 0.5)
        assert assert_removed_exactly(net, IMAGES).units["0"] == 1

    def test_a_layer_without_a_bias_cannot_take_a_constant_in(self) -> None:
        for bias, dead in ((0.5, 0), (0.0, 1)):
            net = sequence(nn.Flatten(), nn.Linear(64, 4), nn.Linear(4, 3, bias=False))
            set_unit(net[1], 2, bias)
            assert assert_removed_exactly(net, IMAGES).units == {"1": dead, "2": 0}

    def test_a_unit_that_stays_constant_keeps_only_its_bias(self) -> None:
        net = sequence(
            nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 3, padding=1), nn.Flatten()
        )
        set_unit(net[0], 0, 0.5)
        net[1].weight.data[1, 1] = 0.0
        dead_units = assert_removed_exactly(net, IMAGES)
        assert dead_units.units == {"0": 1, "1": 0, "2": 0}
        assert not net[1].weight[1].any()
        assert dead_units.parameters == 10 + 27


def test_dead_units_spread_forward_and_backward() -> None:
    net = sequence(
        nn.Flatten(), nn.Linear(64, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)
    )
    first, second, last = net[1], net[3], net[5]
    # Unit 0 of the second layer reads unit 0 of the first alone, which reads nothing.
    set_unit(first, 0, 0.7)
    second.weight.data[0, 1:] = 0.0
    # Unit 1 of the second has no outputs left, and alone reads unit 1 of the first.
    last.weight.data[:, 1] = 0.0
    second.weight.data[[0, 2], 1] = 0.0
    dead_units = assert_removed_exactly(net, IMAGES)
    assert dead_units.units == {"1": 2, "3": 2, "5": 0}
    assert nonzero(net) == (64 + 1) + (1 + 1) + (2 + 2)
    assert dead_units.parameters == parameter_count(net) - nonzero(net)


def dead_by_hand(weights: list[Tensor]) -> list[set[int]]:
    """Remove units without inputs or outputs one by one until none is left."""
    weights = [weight.clone() for weight in weights]
    dead: list[set[int]] = [set() for _ in weights]
    while True:
        before = [set(units) for units in dead]
        for place, (into, out) in enumerate(pairwise(weights)):
            for unit in range(len(into)):
                if not into[unit].any() or not out[:, unit].any():
                    into[unit] = 0.0
                    out[:, unit] = 0.0
                    dead[place].add(unit)
        if dead == before:
            return dead


@settings(max_examples=25)
@given(
    wide=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    single=st.floats(0.3, 0.97),
    seed=st.integers(0, 1000),
)
def test_dead_units_equal_those_of_repeated_removal(
    wide: list[int], single: float, seed: int
) -> None:
    sizes = [16, *wide, 3]
    layers = [nn.Linear(*pair) for pair in pairwise(sizes)]
    net = sequence(nn.Flatten(), *(part for layer in layers for part in (layer, nn.Tanh())))
    thin_out(net, seed, 0.0, 0.0, single)
    expected = [len(units) for units in dead_by_hand([layer.weight.data for layer in layers])]
    dead_units = remove_dead(net, torch.randn(3, 1, 4, 4))
    assert list(dead_units.units.values()) == expected


DEAD = {
    ("cnn5", 100): {"conv1": 5, "conv2": 2, "conv3": 4, "fc1": 130, "fc2": 0},
    ("lenet-5", 40): {"conv1": 0, "conv2": 0, "fc1": 84, "fc2": 0},
    ("lenet-5", 100): {"conv1": 0, "conv2": 0, "fc1": 229, "fc2": 0},
    ("lenet-300-100", 40): {"fc1": 110, "fc2": 7, "fc3": 0},
    ("lenet-300-100", 100): {"fc1": 168, "fc2": 7, "fc3": 0},
}


@pytest.mark.parametrize(("model", "ratio"), DEAD)
def test_the_shipped_nets_make_the_same_predictions(model: str, ratio: int, few: Splits) -> None:
    spec = model_spec(model)
    net = spec.build().eval()
    net.load_state_dict(load_weights(spec.shipped_weights, net))
    core.prune(net, core.plan(net, ratio))
    before = nonzero(net)
    images, _ = few.test.batch(slice(None))
    with torch.no_grad():
        logits = net(images)
        dead_units = remove_dead(net, images[:3])
        without = net(images)
    assert is_close(without, logits)
    assert torch.equal(without.argmax(1), logits.argmax(1))
    assert dead_units.units == DEAD[model, ratio]
    assert nonzero(net) == before - dead_units.nonzero


def test_a_layer_whose_units_are_all_dead_leaves_constant_logits() -> None:
    second = nn.Conv2d(3, 2, 3)
    net = sequence(nn.Conv2d(1, 3, 3), nn.ReLU(), second, nn.Flatten(), nn.Linear(32, 4))
    second.weight.data.zero_()
    dead_units = assert_removed_exactly(net, IMAGES)
    assert dead_units.units == {"0": 3, "2": 2, "4": 0}
    assert nonzero(net) == 4
    assert parameter_count(compacted(net, IMAGES)) == (9 + 1) + (9 + 1) + (64 + 4)
