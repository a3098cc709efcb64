"""Sparse inference: torch's logits for all layers, batch sizes and numbers of threads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from core.data.batches import Splits
from core.data.loading import load
from core.errors import StoppedError
from core.events import drain
from core.formats.weights_files import load_weights
from core.graph.tracing import trace
from core.inference.engines import run
from core.inference.sparse.chains import Chain, with_chains
from core.inference.sparse.groups import groups_of
from core.inference.sparse.layers import KernelLayer, MaxPool, WeightLayer
from core.inference.sparse.net import faster
from core.inference.sparse.program import Program
from core.inference.sparse.simplify import simplify
from core.nets.layers import prunable_layers
from core.nets.weights import copy_weights
from core.nets.zoo import model_spec
from core.pruning.masks import Masks
from core.pruning.presets import default_preset, preset_plan
from tests.core.random_nets import RandomNet, random_nets
from tests.core.training_loops import same

pytestmark = pytest.mark.usefixtures("one_thread")

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
BLOCKS = st.sampled_from([1, 2, 4, 8, 16])


def close(actual: Tensor, expected: Tensor) -> bool:
    """Whether outputs differ by at most 1e-4 of the largest; NaN equals NaN."""
    assert actual.shape == expected.shape
    scale = float(expected.nan_to_num().abs().max()) if expected.numel() else 0.0
    return torch.allclose(actual, expected, rtol=0, atol=1e-4 * scale + 1e-6, equal_nan=True)


def program(
    layers: list[KernelLayer],
    images: Tensor,
    out: tuple[int, ...],
    block: int,
    background: float = 0.0,
) -> Tensor:
    """The kernels' output for images; the workspace is filled with NaN beforehand."""
    count, channels, rows, columns = images.shape
    kernels = Program(layers, channels, (rows, columns), block, background)
    result = torch.full((count, *out), torch.nan)
    assert result.numel() == count * kernels.values
    kernels.run(images.contiguous(), result, 0, count, torch.full((kernels.memory,), torch.nan))
    return result


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[WeightLayer, Tensor, Tensor]:
    """A convolution, images, and torch's output."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    groups, inputs, units = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 4)),
    )
    kernel, stride, dilation = draw(PAIRS), draw(PAIRS), draw(PAIRS)
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    below, behind = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    least = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = [draw(st.integers(low, low + 30)) for low in least]
    weight = torch.randn(groups * units, inputs, *kernel)
    weight *= torch.rand_like(weight) < draw(st.floats(0, 1))
    bias = torch.randn(groups * units)
    images = torch.randn(draw(st.integers(1, 20)), groups * inputs, *size)
    around = padding[1], padding[1] + behind, padding[0], padding[0] + below
    expected = F.conv2d(F.pad(images, around), weight, bias, stride, 0, dilation, groups)
    relu = draw(st.booleans())
    out = (expected.shape[2], expected.shape[3])
    layer = WeightLayer(weight.numpy(), bias.numpy(), out, stride, padding, dilation, groups, relu)
    return layer, images, expected.relu() if relu else expected


@settings(max_examples=150)
@given(convolutions(), BLOCKS)
def test_convolutions_match_torch(case: tuple[WeightLayer, Tensor, Tensor], block: int) -> None:
    layer, images, expected = case
    assert close(program([layer], images, tuple(expected.shape[1:]), block), expected)


@settings(max_examples=60)
@given(
    st.data(), PAIRS, PAIRS, st.tuples(st.integers(1, 2), st.integers(1, 2)), st.booleans(), BLOCKS
)
def test_max_pooling_matches_torch(
    data: st.DataObject,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    ceil: bool,
    block: int,
) -> None:
    padding = data.draw(st.tuples(*(st.integers(0, size // 2) for size in kernel)))
    size = data.draw(st.tuples(st.integers(5, 20), st.integers(5, 20)))
    images = torch.randn(data.draw(st.integers(1, 9)), 3, *size)
    images[torch.rand_like(images) < 0.01] = torch.nan
    expected = F.max_pool2d(images, kernel, stride, padding, dilation, ceil_mode=ceil)
    relu = data.draw(st.booleans())
    pool = MaxPool((expected.shape[2], expected.shape[3]), kernel, stride, padding, dilation, relu)
    actual = program([pool], images, tuple(expected.shape[1:]), block)
    assert close(actual, expected.relu() if relu else expected)


@settings(max_examples=100)
@given(
    st.integers(0, 1000),
    st.tuples(*(st.integers(1, 9),) * 3),
    st.integers(1, 20),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([0.0, -0.4242]),
    BLOCKS,
)
def test_linear_layers_match_torch_for_any_background(
    seed: int,
    size: tuple[int, int, int],
    units: int,
    fraction: float,
    same_fraction: float,
    background: float,
    block: int,
) -> None:
    torch.manual_seed(seed)
    images = torch.randn(5, *size)
    images[torch.rand_like(images) < same_fraction] = background
    first = torch.randn(units, *size) * (torch.rand(units, *size) < fraction)
    second = torch.randn(4, units, 1, 1) * (torch.rand(4, units, 1, 1) < fraction)
    biases = torch.randn(units), torch.randn(4)
    layers: list[KernelLayer] = [
        WeightLayer(first.numpy(), biases[0].numpy(), relu=True),
        WeightLayer(second.numpy(), biases[1].numpy()),
    ]
    hidden = F.linear(images.flatten(1), first.flatten(1), biases[0]).relu()
    expected = F.linear(hidden, second.flatten(1), biases[1])
    assert close(program(layers, images, (4,), block, background), expected)


def thinned(net: nn.Module, fraction: float) -> nn.Module:
    with torch.no_grad():
        for weight in (parameter for parameter in net.parameters() if parameter.dim() > 1):
            weight[torch.rand_like(weight) < fraction] = 0.0
    return net.eval()


@settings(max_examples=40)
@given(random_nets(), st.floats(0, 1), BLOCKS, st.integers(1, 9), st.data())
def test_random_nets_with_random_sparse_layers_match_torch(
    net: RandomNet, fraction: float, block: int, count: int, data: st.DataObject
) -> None:
    images = torch.randn(count, 1, 8, 8)
    before = copy_weights(thinned(net, fraction))
    expected = run(net, images)
    traced = trace(net, images)
    groups = list(groups_of(traced.net, simplify(traced)))
    chosen = [group for group in groups if data.draw(st.booleans())]
    mixed = with_chains(traced.net, chosen, block, threads=1)
    assert close(run(mixed, images), expected)
    assert same(before, copy_weights(net))


class OneDimension(nn.Module):
    """One-dimensional convolutions and pooling, then linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(16, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm1d(8)
        self.conv2 = nn.Conv1d(8, 8, 3, padding="same", groups=2)
        self.pool = nn.MaxPool1d(2, ceil_mode=True)
        self.fc = nn.Linear(32, 5, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv1(x.squeeze(1)))
        return self.fc(self.pool(self.conv2(x).relu()).flatten(1))


def test_one_dimensional_layers_match_torch() -> None:
    torch.manual_seed(0)
    net = thinned(OneDimension(), 0.5)
    images = torch.randn(9, 1, 16, 15)
    traced = trace(net, images)
    groups = list(groups_of(traced.net, simplify(traced)))
    assert [len(group.nodes) for group in groups] == [1, 3, 2]
    assert close(run(with_chains(traced.net, groups, 4, 1), images), run(net, images))


def pruned(name: str) -> nn.Module:
    """A net of the zoo with its shipped weights, pruned by its default preset."""
    spec = model_spec(name)
    net = spec.build()
    weights = load_weights(spec.shipped_weights, net)
    layers = prunable_layers(net)
    plan = preset_plan(default_preset(name), name, [layer.name for layer in layers])
    net.load_state_dict(Masks.of(weights, layers, plan).apply(weights))
    return net.eval()


def with_kernels(net: nn.Module, images: Tensor, block: int, threads: int = 1) -> nn.Module:
    traced = trace(net, images[:3])
    return with_chains(traced.net, list(groups_of(traced.net, simplify(traced))), block, threads)


def test_cnn5_predicts_the_same_for_all_10_000_images(mnist_dir: Path) -> None:
    test = Splits.of(drain(load("mnist", mnist_dir))).test
    net = pruned("cnn5")
    images, _ = test.batch(slice(0, 64))
    sparse = with_kernels(net, images, 8)
    assert isinstance(sparse, Chain)
    for start in range(0, 10_000, 2_000):
        images, _ = test.batch(slice(start, start + 2_000))
        actual, expected = run(sparse, images), run(net, images)
        assert close(actual, expected)
        assert torch.equal(actual.argmax(1), expected.argmax(1))


@pytest.mark.parametrize("name", ["lenet-300-100", "lenet-5"])
def test_the_lenets_match_torch_for_any_block_and_threads(name: str, few: Splits) -> None:
    net = pruned(name)
    images, _ = few.test.batch(slice(0, 500))
    expected = run(net, images)
    for block, threads in ((1, 1), (4, 3), (16, 2)):
        sparse = with_kernels(net, images, block, threads)
        assert isinstance(sparse, Chain)
        for count in (500, 33, 1):
            assert close(run(sparse, images[:count]), expected[:count])


def test_images_of_another_shape_device_or_type_are_refused(few: Splits) -> None:
    images, _ = few.test.batch(slice(0, 4))
    sparse = with_kernels(pruned("cnn5"), images, 1)
    with pytest.raises(ValueError, match=r"\[4, 1, 28, 27\] in .*: expected \[N, 1, 28"):
        sparse(images[..., 1:])
    with pytest.raises(ValueError, match=r"on meta: expected .* on cpu"):
        sparse(images.to("meta"))
    with pytest.raises(ValueError, match="float64"):
        sparse(images.double())


def test_torchs_defaults_change_no_result(few: Splits) -> None:
    net, images = pruned("lenet-300-100"), few.test.batch(slice(0, 20))[0].contiguous()
    sparse, expected = with_kernels(net, images, 4, 2), run(net, images)
    for dtype in (torch.float16, torch.float64):
        torch.set_default_dtype(dtype)
        try:
            assert close(run(sparse, images), expected)
        finally:
            torch.set_default_dtype(torch.float32)
    with torch.device("meta"):
        assert close(run(sparse, images), expected)
    with FakeTensorMode() as fake, pytest.raises(ValueError, match="FakeTensor"):
        sparse(fake.from_tensor(images))
    assert close(run(sparse, torch._neg_view(images)), run(net, -images))


def test_concurrent_calls_and_copies_do_not_interfere(few: Splits) -> None:
    net, images = pruned("lenet-300-100"), few.test.batch(slice(0, 64))[0].contiguous()
    sparse, expected = with_kernels(net, images, 1), run(net, images)
    copies = [sparse, sparse, deepcopy(sparse), pickle.loads(pickle.dumps(sparse))]
    with ThreadPoolExecutor(len(copies)) as pool:
        futures = [pool.submit(run, copy, images) for copy in copies * 20]
        assert all(close(future.result(), expected) for future in futures)


@pytest.mark.parametrize("background", [-9999.0, 1e9, float("nan"), float("inf"), 0.5])
def test_an_extreme_background_costs_no_precision(background: float) -> None:
    torch.manual_seed(0)
    net = thinned(nn.Sequential(nn.Flatten(), nn.Linear(64, 30), nn.ReLU(), nn.Linear(30, 3)), 0.7)
    images = torch.randn(8, 1, 8, 8)
    sample = images[:1].clone()
    sample[..., :5, :] = background
    fastest = drain(faster(net, sample, seconds=0.1)).net
    assert close(run(fastest, images), run(net, images))


@pytest.mark.parametrize("count", [1, 10])
def test_the_fastest_net_has_the_same_logits(few: Splits, count: int) -> None:
    net = pruned("cnn5")
    before = copy_weights(net)
    images, _ = few.test.batch(slice(0, count))
    fastest = drain(faster(net, images, seconds=0.1))
    assert fastest.layers in ((), ("conv1", "conv2", "conv3", "fc1", "fc2"))
    assert set(fastest.sparse) <= set(fastest.layers)
    others, _ = few.test.batch(slice(0, 100))
    assert close(run(fastest.net, others), run(net, others))
    assert same(before, copy_weights(net))


class Untraceable(nn.Module):
    """A net torch.fx cannot trace: its calls depend on values."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.flatten(1)) if x.sum() > 0 else self.fc(-x.flatten(1))


def test_an_untraceable_net_is_returned_as_it_is() -> None:
    net = Untraceable()
    assert drain(faster(net, torch.randn(2, 1, 28, 28))).net is net


def test_the_stop_flag_ends_the_search(few: Splits) -> None:
    images, _ = few.test.batch(slice(0, 4))
    with pytest.raises(StoppedError):
        drain(faster(pruned("lenet-5"), images, stop=lambda: True))
