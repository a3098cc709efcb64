"""Running statistics, and a sample that goes on from layer to layer, against the plain ways."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.events import Event, Progress, drain
from core.graph.prefix_cache import NoPrefixCache, PrefixCache
from core.measure.recalibration import recalibrate, running_norms, statistics
from core.nets.layers import prunable_layers
from core.nets.model_copy import copy_model
from core.nets.weights import copy_weights
from core.pruning.plans import uniform_plan
from core.reconstruction import activations, sequence
from core.reconstruction.activations import cut_net
from core.reconstruction.inputs import find_uses
from core.reconstruction.sequence import Reconstruction, reconstruct
from core.reconstruction.statistics import Norms
from core.reconstruction.tasks import tasks_of
from tests.core.measure.recalibration.residual import Residual

pytestmark = pytest.mark.usefixtures("one_thread")


class Hidden(Residual):
    """The same net, which torch.fx cannot trace."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if bool(x.isfinite().all()) else x * 0)


@pytest.fixture
def images(few: Splits) -> Images:
    return replace(few.train, layout=torch.contiguous_format)


def drawn(kind: type[Residual] = Residual) -> Residual:
    torch.manual_seed(0)
    return kind().eval()


def run(net: nn.Module, images: Images, **options: bool) -> Reconstruction:
    plan = uniform_plan(0.7, [layer.name for layer in prunable_layers(net)])
    return drain(reconstruct(net, copy_model(net).model, plan, images, images=60, **options))


def assert_same(one: nn.Module, other: nn.Module) -> None:
    expected = copy_weights(other)
    for name, values in copy_weights(one).items():
        torch.testing.assert_close(values, expected[name], rtol=1e-4, atol=1e-5)


def test_statistics_up_to_a_layer_are_those_of_recalibrating_all(images: Images) -> None:
    net, layers = drawn(), prunable_layers(drawn())
    whole = copy_model(net).model
    drain(recalibrate(whole, images))
    expected = statistics(running_norms(whole))
    stale = statistics(running_norms(net))
    cut = cut_net(net, layers, running_norms(net), images.batch(slice(0, 3))[0])
    assert type(cut) is PrefixCache
    norms, done = Norms(net, cut, images, activations.MOST_BYTES), []
    for layer in layers:
        assert drain(norms.reach(layer.name, "", lambda: False)) == (layer.name != "stem")
        done += {"blocks.0.0": ["norm"], "blocks.0.3": ["blocks.0.1"]}.get(layer.name, [])
        now = statistics(running_norms(net))
        for name in ("norm", "blocks.0.1"):
            for key, values in now[name].items():
                same = expected if name in done else stale
                torch.testing.assert_close(values, same[name][key])
    assert done == ["norm", "blocks.0.1"]


@pytest.mark.parametrize("stops", [True, False])
def test_the_net_in_the_end_is_recalibrated(stops: bool, images: Images) -> None:
    net, asked = drawn(), [0]

    def stop() -> bool:
        asked[0] += 1
        return stops and asked[0] > 60

    plan = uniform_plan(0.7, [layer.name for layer in prunable_layers(net)])
    stream = reconstruct(net, copy_model(net).model, plan, images, images=60, stop=stop)
    result = drain(stream)
    assert result.stopped == stops
    assert result.recalibration is not None
    assert result.recalibration.layers == 5
    again = copy_model(net).model
    drain(recalibrate(again, images))
    assert_same(again, net)


def test_without_recalibration_statistics_stay(images: Images) -> None:
    net = drawn()
    before = copy_weights(net)
    result = run(net, images, recalibrates=False)
    assert result.recalibration is None
    assert all(torch.equal(before[n], v) for n, v in result.weights.items() if "running" in n)


def test_what_does_not_fit_into_memory_runs_from_the_images(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, again, events = drawn(), drawn(), list[Event]()
    run(kept, images)
    monkeypatch.setattr(sequence, "MOST_BYTES", 0)
    plan = uniform_plan(0.7, [layer.name for layer in prunable_layers(again)])
    stream = reconstruct(again, copy_model(again).model, plan, images, images=60)
    drain(stream, events.append)
    assert_same(again, kept)
    steps = {event.step for event in events if isinstance(event, Progress)}
    assert any(step.endswith("adding up inputs, from the images on") for step in steps)
    assert not any(step.endswith("adding up inputs") for step in steps)


def test_what_it_takes_to_reach_a_layer_is_counted_where_it_is_spent(images: Images) -> None:
    net, (some, _) = drawn(), images.batch(slice(0, 3))
    layers = prunable_layers(net)
    found = find_uses(net, some, layers)
    kept, again = (tasks_of(layers, found, 60, lambda _, keeps=k: keeps) for k in (True, False))
    way, last = 0.0, 0.0
    for one, other in zip(kept, again, strict=True):
        assert one.costs[0] - other.costs[0] == pytest.approx(last)
        assert other.costs[1] - one.costs[1] == pytest.approx(way)
        assert other.costs[2] == one.costs[2]
        way, last = way + one.running, one.running
    assert way > 1e6


def test_a_net_that_cannot_be_traced_gives_the_same(images: Images) -> None:
    traced, hidden = drawn(), drawn(Hidden)
    some, _ = images.batch(slice(0, 3))
    layers = prunable_layers(hidden)
    assert isinstance(cut_net(hidden, layers, {}, some), NoPrefixCache)
    run(traced, images)
    run(hidden, images)
    assert_same(hidden, traced)
