"""Dead units of nets with unknown, shared or untraceable calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn

import core
from core.data.batches import Splits
from core.graph.compaction import compacted
from core.graph.dead_units import count_dead_units, remove_dead
from core.graph.tracing import UntraceableError
from core.nets.user_model import build
from core.nets.weights import copy_weights
from tests.core.graph.removing import IMAGES, assert_removed_exactly, set_unit
from tests.core.training_loops import same
from tests.core.user_nets import write

pytestmark = pytest.mark.usefixtures("one_thread")


def test_units_of_added_grouped_or_tied_layers_stay(tmp_path: Path) -> None:
    net = build(f"{write(tmp_path)}:Net")
    with torch.no_grad():
        for weight in (parameter for parameter in net.parameters() if parameter.dim() > 1):
            weight[:4] = 0.0
        net.head.weight[:, 2] = 0.0
    dead_units = assert_removed_exactly(net, torch.randn(5, 1, 28, 28))
    assert not any(dead_units.units.values())


def test_no_unit_of_attention_is_removed(tmp_path: Path) -> None:
    net = build(f"{write(tmp_path)}:Attending")
    with torch.no_grad():
        for weight in (net.up.weight, net.attention.out_proj.weight, net.head.weight):
            weight[:4] = 0.0
            weight[:, 5:8] = 0.0
    assert not assert_removed_exactly(net, torch.randn(5, 1, 28, 28)).total


def test_an_untraceable_net_has_no_count_of_dead_units(tmp_path: Path, few: Splits) -> None:
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
