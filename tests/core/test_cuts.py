"""Cutting a net before a layer: the rest of it gives the logits of all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.cuts import CutNet, UncutNet, UntraceableError
from core.layers import prunable_layers
from core.nets import Cnn5

CHANNELS = 4


class Residual(nn.Module):
    """Two convolutions and an addition; the activation may write into what it is given."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.norm = nn.BatchNorm2d(CHANNELS)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.act = nn.ReLU(inplace=inplace)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.conv2(self.act(self.norm(self.conv1(x)))))


class RandomNet(nn.Module):
    """Blocks in an order, some of them more than once, and a head that flattens or averages."""

    def __init__(self, blocks: list[str], inplace: bool, average: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, CHANNELS, 3)
        kinds: dict[str, Callable[[], nn.Module]] = {
            "conv": lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
            "norm": lambda: nn.BatchNorm2d(CHANNELS),
            "relu": lambda: nn.ReLU(inplace=inplace),
            "residual": lambda: Residual(inplace),
            "dropout": lambda: nn.Dropout(0.5),
        }
        self.shared = kinds["conv"]()
        self.blocks = nn.ModuleList(
            self.shared if name == "shared" else kinds[name]() for name in blocks
        )
        self.average = average
        self.head = nn.Linear(CHANNELS if average else CHANNELS * 36, 8)
        self.out = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = x.mean((2, 3)) if self.average else x.view(x.size(0), -1)
        return self.out(F.relu(self.head(x)))


def groups(net: nn.Module) -> dict[str, list[str]]:
    keys = {layer.name: [layer.key] for layer in prunable_layers(net)}
    return {**keys, "all": [key for layer in keys.values() for key in layer]}


def scramble(net: nn.Module) -> None:
    """Give batch norms statistics and scales that do something."""
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand_like(tensor) * 0.6 + 0.1)


names = st.sampled_from(["conv", "norm", "relu", "residual", "shared", "dropout"])


@settings(max_examples=60)
@given(
    blocks=st.lists(names, max_size=6),
    inplace=st.booleans(),
    average=st.booleans(),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_changed_weights_give_the_logits_of_the_whole_net(
    blocks: list[str], inplace: bool, average: bool, seed: int, data: st.DataObject
) -> None:
    torch.manual_seed(seed)
    net = RandomNet(blocks, inplace, average).eval()
    images = torch.randn(7, 1, 8, 8)
    cut = CutNet(net, groups(net), images[:3])
    name = data.draw(st.sampled_from(list(cut.cuts)))
    with torch.inference_mode():
        values = cut.start(images)
        for strength in (0.5, 0.0):
            for key in groups(net)[name]:
                weight = net.get_parameter(key)
                weight.masked_fill_(torch.rand_like(weight) > strength, 0.0)
            expected = net(images.clone())
            alive = cut.alive(name, values)
            assert torch.allclose(cut.finish(name, alive), expected, atol=1e-5)
            some = torch.tensor([0, 3, 4])
            few = cut.finish(name, cut.rows(name, alive, some))
            assert torch.allclose(few, expected[some], atol=1e-5)


def test_what_comes_before_a_layer_is_not_run_again() -> None:
    net = Cnn5().eval()
    images = torch.randn(3, 1, 28, 28)
    cut = CutNet(net, groups(net), images)
    ran: list[str] = []
    for name, module in net.named_children():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    with torch.inference_mode():
        values = cut.start(images)
        ran.clear()
        cut.finish("conv3", cut.alive("conv3", values))
    assert ran == ["conv3", "drop3", "fc1", "drop4", "fc2"]
    assert cut.bytes_per_image == 4 * (28 * 28 + 32 * 24 * 24 + 32 * 10 * 10 + 576 + 256)


def test_a_shared_module_is_cut_before_its_first_use() -> None:
    net = RandomNet(["shared", "conv", "shared"], inplace=False, average=True).eval()
    cut = CutNet(net, groups(net), torch.randn(3, 1, 8, 8))
    assert [node.target for node in cut.cuts["shared"].before] == ["x", "stem"]


class Tied(nn.Module):
    """One weight in two modules, and once more as a plain tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(F.relu(self.second(torch.sin(x))), self.first.weight)


def test_a_tied_weight_is_cut_before_its_first_use() -> None:
    net = Tied().eval()
    images = torch.randn(3, 6)
    cut = CutNet(net, {"first": ["first.weight"]}, images)
    with torch.inference_mode():
        values = cut.start(images)
        net.first.weight.zero_()
        assert torch.allclose(cut.finish("first", cut.alive("first", values)), net(images))


class WritesLater(nn.Module):
    """What is alive before `late` is overwritten after it."""

    def __init__(self) -> None:
        super().__init__()
        self.early, self.late = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.early(x)
        return self.late(x) + x.relu_()


def test_a_value_that_is_written_later_is_computed_again() -> None:
    net = WritesLater().eval()
    images = torch.randn(3, 6)
    cut = CutNet(net, groups(net), images)
    with torch.inference_mode():
        values = cut.start(images)
        for _ in range(2):
            again = cut.finish("late", cut.alive("late", values))
            assert torch.allclose(again, net(images))


class Decides(nn.Module):
    """Looks at its input to choose what to do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if x.sum() > 0 else self.layer(-x)


class Forgets(Decides):
    """Traces to something else: the branch taken depends on how often it was called."""

    def forward(self, x: Tensor) -> Tensor:
        self.calls = getattr(self, "calls", 0) + 1
        return self.layer(x) * self.calls


class WritesInput(Decides):
    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.mul_(2))


@pytest.mark.parametrize("kind", [Decides, Forgets, WritesInput])
def test_what_cannot_be_cut_says_so(kind: type[nn.Module]) -> None:
    net = kind().eval()
    with pytest.raises(UntraceableError):
        CutNet(net, groups(net), torch.randn(3, 6))


def test_uncut_runs_everything() -> None:
    net = Decides().eval()
    images = torch.randn(5, 6)
    uncut = UncutNet(net, images)
    values = uncut.alive("layer", uncut.start(images))
    assert torch.equal(uncut.finish("layer", values), net(images))
    some = uncut.finish("layer", uncut.rows("layer", values, torch.tensor([1, 2])))
    assert torch.equal(some, net(images[1:3]))
    assert uncut.bytes_per_image == 24
