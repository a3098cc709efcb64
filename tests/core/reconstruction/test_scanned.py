"""Layers reconstructed alone, for the scan: what each gives, and what the net keeps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from core.data.batches import Splits
from core.errors import StoppedError
from core.events import Event, Notice, drain
from core.measure.sensitivity_scan import scan
from core.nets.layers import prunable_layers
from core.nets.weights import copy_weights
from core.pruning.curves import PointScanned, Scan
from core.reconstruction import activations
from core.reconstruction.scanned.layers_alone import LayersAlone
from core.reconstruction.scanned.packed import Packed
from core.reconstruction.sequence import reconstruct
from tests.core.conftest import head

pytestmark = pytest.mark.usefixtures("one_thread")


@given(st.integers(0, 1000), st.sampled_from([(1,), (7,), (3, 5), (4, 1, 3, 3)]), st.floats(0, 1))
def test_a_packed_tensor_is_unpacked_as_it_was(
    seed: int, shape: tuple[int, ...], share: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    tensor = torch.randn(shape, generator=generator)
    tensor *= torch.rand(shape, generator=generator) < share
    packed = Packed.of(tensor)
    assert torch.equal(packed.unpacked(), tensor)
    assert len(packed.values) == int(tensor.count_nonzero())


def small() -> nn.Sequential:
    """Convolutions, BatchNorm and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=3), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 10),
    ).eval()  # fmt: skip


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    return small()


@pytest.fixture(scope="module")
def data(few: Splits) -> Splits:
    return Splits(head(few.train, 120), head(few.validation, 200), few.test)


def outputs(net: nn.Sequential, images: Tensor, layers: int) -> Tensor:
    with torch.no_grad():
        result: Tensor = net[:layers](images)
        return result


def test_a_layer_keeps_its_output_better_than_magnitude_and_the_net_stays(
    net: nn.Sequential, data: Splits
) -> None:
    before, images = copy_weights(net), data.train.batch(slice(0, 120))[0]
    alone = LayersAlone(net, data.train)
    for layer, depth in zip(prunable_layers(net), (1, 4, 7), strict=True):
        expected = outputs(net, images, depth)
        dense = net.get_parameter(layer.key).detach().clone()
        made = drain(alone(layer, (0.0, 0.5, 0.9)))
        assert set(made) == {0.5, 0.9}, "at 0 nothing is pruned"
        for sparsity, point in made.items():
            parameters = point()
            number = round(dense.numel() * (1 - sparsity))
            assert int(parameters[layer.key].count_nonzero()) == number
            errors = []
            kept = dense.abs() >= dense.abs().flatten().topk(number).values[-1]
            for values in ({layer.key: dense * kept}, parameters):
                changed = torch.func.functional_call(net[:depth], values, (images,))
                errors.append(float((changed.detach() - expected).square().sum()))
            assert errors[1] < errors[0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in copy_weights(net).items())


def test_the_first_layer_is_what_reconstructing_only_that_layer_gives(
    net: nn.Sequential, data: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "SAMPLE_VALUES", 50 * 784)  # as if images were large
    layer, *others = prunable_layers(net)
    made = drain(LayersAlone(net, data.train)(layer, (0.6,)))[0.6]()
    plan = {layer.name: 0.6} | {other.name: 0.0 for other in others}
    other = small()
    other.load_state_dict(net.state_dict())
    result = drain(reconstruct(other, net, plan, data.train, recalibrates=False))
    assert result.images == 50
    for name, tensor in made.items():
        torch.testing.assert_close(result.weights[name], tensor, rtol=1e-4, atol=1e-5)


def scanned(
    net: nn.Sequential, data: Splits, events: list[Event], after: int | None = None
) -> Scan:
    """A scan with repair; stopped after this many points."""

    def stop() -> bool:
        done = sum(isinstance(event, PointScanned) for event in events)
        return after is not None and done >= after

    repair = LayersAlone(net, data.train, stop=stop)
    return drain(
        scan(
            net, data.validation, split="validation", sparsities=(0.5, 0.9), uniform=(0.5,),
            train=data.train, repair=repair, stop=stop,
        ),
        events.append,
    )  # fmt: skip


def test_a_scan_measures_the_reconstructed_layers_and_leaves_the_net(
    net: nn.Sequential, data: Splits
) -> None:
    before, events = copy_weights(net), list[Event]()
    result = scanned(net, data, events)
    assert (result.repair, result.exact, result.stopped) == ("reconstruct", True, False)
    assert not [event for event in events if isinstance(event, Notice)]
    assert all(torch.equal(tensor, before[name]) for name, tensor in copy_weights(net).items())


def test_a_stop_while_a_layer_is_reconstructed_keeps_the_layers_done(
    net: nn.Sequential, data: Splits
) -> None:
    result = scanned(net, data, [], after=2)
    assert result.stopped
    images = [[point.images for point in points] for points in result.layers.values()]
    assert images == [[200, 200], [0, 0], [0, 0]]


def test_layers_that_cannot_be_reconstructed_say_so(data: Splits) -> None:
    net = nn.Sequential(nn.ConvTranspose2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 900, 10)).eval()
    layer, events = prunable_layers(net)[0], list[Event]()
    alone = LayersAlone(net, data.train)
    assert drain(alone(layer, (0.5,)), events.append) == {}
    assert alone.cost(layer, 1) == 0
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert "by magnitude" in notice.text
    with pytest.raises(StoppedError):
        drain(LayersAlone(net, data.train, stop=lambda: True)(prunable_layers(net)[1], (0.5,)))
