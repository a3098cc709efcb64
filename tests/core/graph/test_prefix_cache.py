"""A net cut before a layer: the second part gives the logits of the whole net."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.graph.prefix_cache import NoPrefixCache, PrefixCache
from core.graph.tracing import UntraceableError
from core.nets.architectures import Cnn5
from core.nets.layers import prunable_layers
from tests.core.random_nets import RandomNet, random_nets


def groups(net: nn.Module) -> dict[str, list[str]]:
    keys = {layer.name: [layer.key] for layer in prunable_layers(net)}
    return {**keys, "all": [key for layer in keys.values() for key in layer]}


@settings(max_examples=60)
@given(net=random_nets(), data=st.data())
def test_changed_weights_give_the_logits_of_the_whole_net(
    net: RandomNet, data: st.DataObject
) -> None:
    images = torch.randn(7, 1, 8, 8)
    cut = PrefixCache(net, groups(net), images[:3])
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


def test_calls_before_a_changed_layer_are_not_repeated() -> None:
    net = Cnn5().eval()
    images = torch.randn(3, 1, 28, 28)
    cut = PrefixCache(net, groups(net), images)
    names: list[str] = []
    for name, module in net.named_children():
        module.register_forward_hook(lambda *_, name=name: names.append(name))
    with torch.inference_mode():
        values = cut.start(images)
        names.clear()
        cut.finish("conv3", cut.alive("conv3", values))
    assert names == ["conv3", "drop3", "fc1", "drop4", "fc2"]
    assert cut.bytes_per_image == 4 * (28 * 28 + 32 * 24 * 24 + 32 * 10 * 10 + 576 + 256)


def test_a_shared_module_is_cut_before_its_first_use() -> None:
    net = RandomNet(["shared", "conv", "shared"], inplace=False, average=True).eval()
    cut = PrefixCache(net, groups(net), torch.randn(3, 1, 8, 8))
    assert [node.target for node in cut.cuts["shared"].before] == ["x", "stem"]


class Tied(nn.Module):
    """One weight in two modules, and also read as a plain tensor."""

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
    cut = PrefixCache(net, {"first": ["first.weight"]}, images)
    with torch.inference_mode():
        values = cut.start(images)
        net.first.weight.zero_()
        assert torch.allclose(cut.finish("first", cut.alive("first", values)), net(images))


class WritesLater(nn.Module):
    """A value alive before `late` is overwritten after it."""

    def __init__(self) -> None:
        super().__init__()
        self.early, self.late = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.early(x)
        return self.late(x) + x.relu_()


def test_a_value_that_is_written_later_is_computed_again() -> None:
    net = WritesLater().eval()
    images = torch.randn(3, 6)
    cut = PrefixCache(net, groups(net), images)
    with torch.inference_mode():
        values = cut.start(images)
        for _ in range(2):
            again = cut.finish("late", cut.alive("late", values))
            assert torch.allclose(again, net(images))


class Counts(nn.Module):
    """Reads the number of images first."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        n, width = x.shape
        return self.last(self.first(x).view(n, width))


def test_a_stored_batch_size_follows_the_images() -> None:
    net = Counts().eval()
    images = torch.randn(5, 6)
    cut = PrefixCache(net, groups(net), images[:3])
    assert "first" in [node.target for node in cut.cuts["last"].before]
    with torch.inference_mode():
        alive = cut.alive("first", cut.start(images))
        few = cut.finish("first", cut.rows("first", alive, torch.tensor([4, 1])))
        assert torch.allclose(few, net(images[[4, 1]]))


class Mixes(nn.Module):
    """The logits of one image depend on the others."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        return y - y.mean(0)


class Breaks(nn.Module):
    """Can be traced, but not run."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + torch.ones(3, 5)


class Decides(nn.Module):
    """Branches on its input."""

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


@pytest.mark.parametrize("kind", [Decides, Forgets, WritesInput, Mixes, Breaks])
def test_a_net_that_cannot_be_split_says_why(kind: type[nn.Module]) -> None:
    net = kind().eval()
    with pytest.raises(UntraceableError):
        PrefixCache(net, groups(net), torch.randn(3, 6))


def test_a_trial_needs_at_least_three_images() -> None:
    net = Cnn5().eval()
    with pytest.raises(UntraceableError, match="at least 3"):
        PrefixCache(net, groups(net), torch.randn(2, 1, 28, 28))


def test_a_net_that_is_not_cut_runs_all_its_layers() -> None:
    net = Decides().eval()
    images = torch.randn(5, 6)
    uncut = NoPrefixCache(net, {"layer": []}, images)
    runs: list[nn.Module] = []
    net.register_forward_hook(lambda module, *_: runs.append(module))
    values = uncut.alive("layer", uncut.start(images))
    assert not runs
    assert torch.equal(uncut.finish("layer", values), net(images))
    some = uncut.finish("layer", uncut.rows("layer", values, torch.tensor([1, 2])))
    assert torch.equal(some, net(images[1:3]))
    assert uncut.bytes_per_image == 24
