"""Dead units: removing them changes no logit, and no other unit could be removed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import core
from core.data.batches import Splits
from core.formats.weights_files import load_weights
from core.graph.compaction import compacted
from core.graph.dead_units import count_dead_units, remove_dead
from core.graph.tracing import UntraceableError
from core.nets.footprint import DeadUnits
from core.nets.layers import parameter_count
from core.nets.user_model import build
from core.nets.weights import copy_weights
from core.nets.zoo import model_spec
from tests.core.random_nets import RandomNet, random_nets
from tests.core.training.loops import same
from tests.core.user_nets import write

pytestmark = pytest.mark.usefixtures("one_thread")


def nonzero(net: nn.Module) -> int:
    return sum(int(parameter.count_nonzero()) for parameter in net.parameters())


def is_close(logits: Tensor, expected: Tensor) -> bool:
    return bool((logits - expected).abs().max() <= 1e-5 * expected.abs().max() + 1e-7)


@torch.no_grad()
def thin_out(net: nn.Module, seed: int, rows: float, columns: float, single: float) -> None:
    """Set fractions of the rows, columns and single weights to zero."""
    random = torch.Generator().manual_seed(seed)
    for weight in (parameter for parameter in net.parameters() if parameter.dim() > 1):
        weight[torch.rand(len(weight), generator=random) < rows] = 0.0
        weight[:, torch.rand(weight.shape[1], generator=random) < columns] = 0.0
        weight[torch.rand(weight.shape, generator=random) < single] = 0.0


SHARES = st.tuples(
    st.integers(0, 1000), st.floats(0, 0.7), st.floats(0, 0.7), st.sampled_from([0.0, 0.5, 0.9])
)


@torch.no_grad()
def assert_removed_exactly(net: nn.Module, images: Tensor) -> DeadUnits:
    """Remove dead units: the logits stay. Remove them again: nothing changes."""
    before, logits = nonzero(net), net.eval()(images.clone())
    dead_units = remove_dead(net, images[:3])
    assert is_close(net(images.clone()), logits)
    assert 0 <= before - nonzero(net) <= dead_units.nonzero
    once = copy_weights(net)
    again = remove_dead(net, images[:3])
    assert same(once, copy_weights(net))
    assert (again.units, again.parameters) == (dead_units.units, dead_units.parameters)
    light = compacted(net, images[:3])
    assert is_close(light(images.clone()), logits)
    assert same(once, copy_weights(net))
    return dead_units


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


def set_unit(layer: nn.Module, unit: int, bias: float) -> None:
    """Make a unit output a constant."""
    layer.weight.data[unit] = 0.0
    layer.bias.data[unit] = bias


def sequence(*parts: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*parts).eval()


IMAGES = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


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


class TestOwnNets:
    def test_units_of_added_grouped_or_tied_layers_stay(self, tmp_path: Path) -> None:
        net = build(f"{write(tmp_path)}:Net")
        with torch.no_grad():
            for weight in (parameter for parameter in net.parameters() if parameter.dim() > 1):
                weight[:4] = 0.0
            net.head.weight[:, 2] = 0.0
        dead_units = assert_removed_exactly(net, torch.randn(5, 1, 28, 28))
        assert not any(dead_units.units.values())

    def test_no_unit_of_attention_is_removed(self, tmp_path: Path) -> None:
        net = build(f"{write(tmp_path)}:Attending")
        with torch.no_grad():
            for weight in (net.up.weight, net.attention.out_proj.weight, net.head.weight):
                weight[:4] = 0.0
                weight[:, 5:8] = 0.0
        assert not assert_removed_exactly(net, torch.randn(5, 1, 28, 28)).total

    def test_an_untraceable_net_has_no_count_of_dead_units(
        self, tmp_path: Path, few: Splits
    ) -> None:
        net = build(f"{write(tmp_path)}:Viewing")
        before = copy_weights(net)
        assert core.drain(count_dead_units(net, few.test)) is None
        with pytest.raises(UntraceableError, match=r"torch\.fx cannot trace it"):
            remove_dead(net, torch.randn(3, 1, 28, 28))
        assert same(before, copy_weights(net))


class Odd(nn.Module):
    """Two layers that are used in an unusual way."""

    def __init__(self, use: Callable[[Odd, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(1, 3, 3)
        self.one, self.two, self.row = nn.Linear(108, 6), nn.Linear(6, 6), nn.Linear(36, 4)
        self.use = use
        for layer in (self.conv, self.one):
            set_unit(layer, 1, 0.5)
        self.one.weight.data[:, 36:72] = 0.0

    def forward(self, x: Tensor) -> Tensor:
        return self.use(self, x)


def hidden(net: Odd, x: Tensor) -> Tensor:
    return net.one(F.relu(net.conv(x)).flatten(1))


@pytest.mark.parametrize(
    ("use", "dead"),
    [
        (lambda net, x: net.two(hidden(net, x)), [1, 1]),
        (lambda net, x: net.two(torch.relu(hidden(net, x)).view(x.size(0), -1)), [1, 1]),
        (lambda net, x: net.two(net.one(net.conv(x).view(x.shape[0], 108))), [1, 1]),
        (lambda net, x: net.two(net.one(net.conv(x).reshape(-1, 108)).clamp(min=0)), [1, 1]),
        (lambda net, x: net.two(F.dropout(hidden(net, x), 0.5, net.training)), [1, 1]),
        (lambda net, x: net.two(F.hardshrink(hidden(net, x))), [1, 0]),
        (lambda net, x: net.two(net.two(hidden(net, x))), [1, 0]),
        (lambda net, x: F.linear(net.two(hidden(net, x)), net.two.weight), [1, 0]),
        (lambda net, x: net.two(hidden(net, x)) + hidden(net, x).sum(), [0, 0]),
        (lambda net, x: net.two(torch.cat([hidden(net, x)[:, :3]] * 2, 1)), [1, 0]),
        (lambda net, x: net.two(F.softmax(hidden(net, x), 1)), [1, 0]),
        (lambda net, x: net.two(net.one(net.conv(x).transpose(2, 3).flatten(1))), [0, 1]),
        (lambda net, x: net.two(net.one(F.pad(net.conv(x), (0, 0)).flatten(1))), [0, 1]),
        (lambda net, x: net.one(F.relu_(net.conv(x)).flatten(1)), [1, 0]),
        (lambda net, x: net.row(net.conv(x).reshape(-1, 36)).reshape(x.size(0), -1), [0, 0]),
    ],
)
def test_around_an_unknown_call_only_unread_units_are_removed(use, dead: list[int]) -> None:
    net = Odd(use)
    dead_units = assert_removed_exactly(net, IMAGES)
    assert [dead_units.units["conv"], dead_units.units["one"]] == dead


def writes_over(net: Odd, x: Tensor) -> Tensor:
    features = net.conv(x)
    flat = features.flatten(1)
    features.sub_(1.0)
    return net.two(net.one(flat))


def counts_calls(net: Odd, x: Tensor) -> Tensor:
    net.calls = getattr(net, "calls", 0) + 1
    return net.two(hidden(net, x)) * net.calls


@pytest.mark.parametrize(
    ("use", "why"), [(writes_over, "overwrites"), (counts_calls, "different logits")]
)
def test_a_net_that_differs_from_its_trace_is_refused(use, why: str) -> None:
    net = Odd(use)
    with pytest.raises(UntraceableError, match=why):
        remove_dead(net, IMAGES)


def test_a_net_that_counts_its_units_cannot_be_made_smaller() -> None:
    def use(net: Odd, x: Tensor) -> Tensor:
        flat = net.conv(x).flatten(1)
        return net.two(net.one(flat) * flat.size(1))

    net = Odd(use)
    assert remove_dead(net, IMAGES).total == 1
    with pytest.raises(UntraceableError, match="units"):
        compacted(net, IMAGES)


def test_a_layer_whose_units_are_all_dead_leaves_constant_logits() -> None:
    second = nn.Conv2d(3, 2, 3)
    net = sequence(nn.Conv2d(1, 3, 3), nn.ReLU(), second, nn.Flatten(), nn.Linear(32, 4))
    second.weight.data.zero_()
    dead_units = assert_removed_exactly(net, IMAGES)
    assert dead_units.units == {"0": 3, "2": 2, "4": 0}
    assert nonzero(net) == 4
    assert parameter_count(compacted(net, IMAGES)) == (9 + 1) + (9 + 1) + (64 + 4)
