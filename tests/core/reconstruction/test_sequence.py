"""Whole nets, layer after layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.events import Event, Portion, Progress, drain
from core.nets.layers import prunable_layers
from core.nets.model_copy import copy_model
from core.nets.weights import copy_weights
from core.progress import Meter
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from core.reconstruction import inputs
from core.reconstruction.sequence import Reconstruction, reconstruct
from core.reconstruction.tasks import LayerReconstructed
from tests.core.random_nets import random_nets

pytestmark = pytest.mark.usefixtures("one_thread")


class Mixed(nn.Module):
    """Convolutions of all kinds, and layers that are none."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2, padding=1, padding_mode="circular")
        self.depthwise = nn.Conv2d(4, 4, 3, padding="same", groups=4, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.grouped = nn.Conv2d(4, 6, (3, 2), dilation=(2, 1), groups=2)
        self.up = nn.ConvTranspose2d(6, 3, 2)
        self.unused = nn.Linear(3, 3)
        self.head = nn.Linear(3, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu_(self.norm(self.depthwise(F.relu_(self.stem(x)))))
        logits: Tensor = self.head(self.up(F.relu(self.grouped(x))).amax((2, 3)))
        return logits


class Attending(nn.Module):
    """Patches, a transformer's layer, attention to itself and to others, tied projections."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 7, stride=7)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.cross = nn.MultiheadAttention(8, 2, batch_first=True)
        self.apart = nn.MultiheadAttention(8, 2, kdim=4, vdim=4, batch_first=True)
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(self.patches(x).flatten(2).transpose(1, 2))
        x, _ = self.cross(x, self.first(x), self.first(x), need_weights=False)
        x, _ = self.apart(x, x[..., :4], x[..., 4:])
        logits: Tensor = self.head(self.second(x).mean(1))
        return logits


def run(
    net: nn.Module, images: Images, sparsity: float = 0.7, sink: Callable[[Event], object] = id
) -> Reconstruction:
    plan = uniform_plan(sparsity, [layer.name for layer in prunable_layers(net)])
    dense = copy_model(net).model
    return drain(reconstruct(net, dense, plan, images, images=100), sink)


def contiguous(images: Images) -> Images:
    return replace(images, layout=torch.contiguous_format)


@pytest.fixture
def images(few: Splits) -> Images:
    return contiguous(few.train)


def test_layers_of_every_kind(images: Images) -> None:
    torch.manual_seed(0)
    net = Mixed().eval()
    dense = copy_weights(net)
    result = run(net, images)
    done = {layer.name: layer for layer in result.layers}
    assert [name for name in done if not done[name].reason] == [
        "stem", "depthwise", "grouped", "head"
    ]  # fmt: skip
    assert "transposed convolution" in done["up"].reason
    assert "does not multiply" in done["unused"].reason
    masks = Masks.of(dense, prunable_layers(net), dict.fromkeys(done, 0.7))
    for layer in prunable_layers(net):
        weight = net.get_parameter(layer.key)
        assert int(weight.count_nonzero()) == masks.kept(layer) == done[layer.name].kept
        assert torch.equal(weight == 0, result.masks.pruned[layer.key])
        assert torch.equal(weight, result.weights[layer.key])
    for name in ("up", "unused"):
        assert torch.equal(result.masks.pruned[f"{name}.weight"], masks.pruned[f"{name}.weight"])
    for layer in result.layers:
        if not layer.reason:
            assert layer.error is not None
            assert layer.magnitude is not None
            assert layer.error < layer.magnitude


def test_all_projections_of_attention(images: Images) -> None:
    torch.manual_seed(0)
    net = Attending().eval()
    found = inputs.find_uses(net, images.batch(slice(0, 3))[0], prunable_layers(net))
    assert found["cross.in_proj_weight"].blocks == 3
    assert found["cross.in_proj_weight"].rows == found["block.linear1"].rows == 3 * 16
    biases = net.first.bias.clone(), net.second.bias.clone()
    result = run(net, images)
    assert not [layer.name for layer in result.layers if layer.reason]
    assert len(result.layers) == len(prunable_layers(net)) == 13
    assert all((layer.error or 0) <= (layer.magnitude or 0) for layer in result.layers)
    assert net.first.weight is net.second.weight
    assert torch.equal(net.first.bias, biases[0])  # the best would be another for either of them
    assert torch.equal(net.second.bias, biases[1])
    assert torch.equal(result.weights["first.weight"], result.weights["second.weight"])


@settings(max_examples=15)
@given(random_nets(), st.sampled_from([0.0, 0.3]))
def test_with_nothing_to_prune_a_net_stays(net: nn.Module, zeros: float) -> None:
    with torch.no_grad():  # zeros are the floor of every plan
        for layer in prunable_layers(net):
            net.get_parameter(layer.key).masked_fill_(torch.rand(layer.shape) < zeros, 0)
    before = copy_weights(net)
    pixels = torch.randint(0, 256, (20, 1, 8, 8), dtype=torch.uint8)
    data = contiguous(Images(pixels, torch.zeros(20, dtype=torch.int64), 0.5, 0.5))
    result = run(net, data, 0.0)
    assert all(torch.equal(result.weights[name], before[name]) for name in before)
    assert not result.masks.revived(before)


@settings(max_examples=15)
@given(random_nets())
def test_never_worse_than_magnitude_in_any_layer(net: nn.Module) -> None:
    pixels = torch.randint(0, 256, (60, 1, 8, 8), dtype=torch.uint8)
    data = contiguous(Images(pixels, torch.zeros(60, dtype=torch.int64), 0.5, 0.5))
    result = run(net, data, 0.6)
    for layer in result.layers:
        if layer.reason:
            assert layer.name == "shared"  # which a net of other blocks does not use
            continue
        assert layer.error is not None
        assert layer.magnitude is not None
        assert layer.error <= layer.magnitude, layer.name


def test_same_seed_same_net_and_progress_never_falls(images: Images) -> None:
    torch.manual_seed(0)
    net = Mixed().eval()
    other = copy_model(net).model
    events: list[Event] = []
    one, two = run(net, images, sink=events.append), run(other, images)
    assert all(torch.equal(one.weights[name], two.weights[name]) for name in one.weights)
    assert tuple(each for each in events if isinstance(each, LayerReconstructed)) == one.layers
    assert [layer.number for layer in one.layers] == [1, 2, 3, 4, 5, 6]
    done, meter = [0.0], Meter()
    for now, event in enumerate(events):
        meter = meter.after(event, float(now))
        done.append(meter.done or 0.0)
    assert done == sorted(done)
    assert max(event.end for event in events if isinstance(event, Portion)) == pytest.approx(1)


def test_a_stop_keeps_the_layers_done(images: Images) -> None:
    torch.manual_seed(0)
    net = Mixed().eval()
    whole = run(copy_model(net).model, images)
    dense = copy_model(net).model
    plan = uniform_plan(0.7, [layer.name for layer in prunable_layers(net)])
    steps: list[str] = []

    def sink(event: Event) -> None:
        if isinstance(event, Progress):
            steps.append(event.step)

    def stop() -> bool:
        return steps[-1:] == ["grouped (3 of 6): adding up inputs"]

    stream = reconstruct(net, dense, plan, images, images=100, stop=stop)
    result = drain(stream, sink)
    assert result.stopped
    assert [layer.name for layer in result.layers if not layer.reason] == ["stem", "depthwise"]
    for name in ("stem.weight", "stem.bias", "depthwise.weight"):
        assert torch.equal(result.weights[name], whole.weights[name])
    by_magnitude = Masks.of(copy_weights(dense), prunable_layers(dense), plan)
    for name in ("grouped.weight", "head.weight"):
        kept = dense.get_parameter(name).masked_fill(by_magnitude.pruned[name], 0)
        assert torch.equal(result.weights[name], kept)


def test_a_layer_with_many_inputs_is_reconstructed_in_parts(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    whole = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.ReLU(), nn.Linear(10, 10)).eval()
    parts = copy_model(whole).model
    one, _ = run(whole, images).layers
    monkeypatch.setattr(inputs, "MOST_VALUES", 300**2)
    events: list[Event] = []
    several, small = run(parts, images, sink=events.append).layers
    steps = {event.step for event in events if isinstance(event, Progress)}
    assert not several.reason
    assert several.kept == int(parts[1].weight.count_nonzero()) == one.kept
    assert several.magnitude == pytest.approx(one.magnitude)
    assert (one.error or 0) <= (several.error or 0) < (one.error or 0) + 0.02
    assert (several.error or 0) < (several.magnitude or 0) / 2
    assert not small.reason
    assert "1 (1 of 2): choosing weights" in steps


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
def test_the_error_after_the_last_part_is_that_of_the_layer(
    bias: bool, groups: int, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(inputs, "MOST_VALUES", groups * 20**2)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 7, stride=7), nn.Conv2d(4, 4, 4, groups=groups, bias=bias), nn.Flatten()
    ).eval()
    dense = copy_model(net).model
    layer = run(net, images).layers[1]
    generator = torch.Generator().manual_seed(0)
    batch, _ = images.batch(torch.randperm(len(images), generator=generator)[:100])
    with torch.no_grad():
        outputs = dense(batch) - (dense[1].bias if bias else 0)
        missed = net(batch) - dense(batch)
    assert layer.error == pytest.approx(float(missed.square().sum() / outputs.square().sum()), 1e-3)
    assert layer.error < (layer.magnitude or 0)


def test_a_layer_whose_inputs_are_not_finite_is_pruned_by_magnitude(images: Images) -> None:
    infinite = nn.Threshold(1e9, torch.inf)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), infinite, nn.Linear(10, 10)).eval()
    first, second = run(net, images).layers
    assert not first.reason
    assert second.reason == "its inputs or outputs are not all finite"
    assert int(net[3].weight.count_nonzero()) == 30


class Halved(nn.Linear):
    """A linear layer whose products are halved by torch itself."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight.t(), alpha=0.5)


def test_a_product_with_a_factor_is_pruned_by_magnitude(images: Images) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.ReLU(), Halved(10, 10)).eval()
    reasons = [layer.reason for layer in run(net, images).layers]
    assert not reasons[0]
    assert "in other ways" in reasons[1]


def test_existing_zeros_stay(images: Images) -> None:
    net = Mixed().eval()
    with torch.no_grad():
        net.stem.weight[:2] = 0
    run(net, images, 0.2)
    assert not net.stem.weight[:2].any()
    assert int(net.stem.weight.count_nonzero()) == 18
