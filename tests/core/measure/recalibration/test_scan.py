"""A scan with recalibration: every point is the net pruned, recalibrated and measured by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.events import Event, Notice, drain
from core.measure.evaluation import evaluate
from core.measure.recalibration import prune_into, recalibrate
from core.measure.sensitivity_scan import scan
from core.nets.layers import prunable_layers
from core.nets.weights import Weights, copy_weights, load_into
from core.pruning.curves import Scan
from tests.core.conftest import head
from tests.core.measure.recalibration.residual import Residual, trained_residual

pytestmark = [pytest.mark.usefixtures("one_thread")]

POINTS = (0.5, 0.9)


@pytest.fixture(scope="module")
def trained(few: Splits) -> Weights:
    return trained_residual(head(few.train, 500), epochs=1)


@pytest.fixture(scope="module")
def data(few: Splits) -> Splits:
    return Splits(head(few.train, 200), head(few.validation, 300), few.test)


def scanned(model: nn.Module, data: Splits, events: list[Event], train: Images | None) -> Scan:
    return drain(
        scan(
            model, data.validation, split="validation", sparsities=POINTS, uniform=(0.8,), seed=3,
            train=train,
        ),
        events.append,
    )  # fmt: skip


def one_by_one(model: nn.Module, data: Splits) -> dict[str, list[float]]:
    """The accuracies of each layer pruned alone, and of all, each recalibrated by itself."""
    weights, names = copy_weights(model), [layer.name for layer in prunable_layers(model)]
    plans = {
        name: [{**dict.fromkeys(names, 0.0), name: point} for point in POINTS] for name in names
    }
    plans["uniform"] = [dict.fromkeys(names, 0.8)]

    def accuracy(plan: dict[str, float]) -> float:
        drain(prune_into(model, weights, plan, data.train))
        return drain(evaluate(model, data.validation))

    rows = {name: [accuracy(plan) for plan in each] for name, each in plans.items()}
    load_into(model, weights)
    return rows


def rows(result: Scan) -> dict[str, list[float | None]]:
    named = {**result.layers, "uniform": result.uniform}
    return {name: [point.accuracy for point in points] for name, points in named.items()}


class WithUnused(Residual):
    """A BatchNorm of a head that is not called."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.BatchNorm1d(4)


class OwnNorm(nn.BatchNorm1d):
    """A class that torch.fx traces into."""


class Traced(nn.Sequential):
    """It has a layer that torch.fx traces into."""

    def __init__(self) -> None:
        parts = nn.Flatten(), nn.Linear(784, 12), OwnNorm(12), nn.ReLU(), nn.Linear(12, 10)
        super().__init__(*parts)


class Shared(nn.Module):
    """One BatchNorm that is called twice, before and after a cut."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(784, 12), nn.Linear(12, 12)
        self.norm, self.last = nn.BatchNorm1d(12), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.first(x.flatten(1))).relu()
        return self.last(self.norm(self.second(x)).relu())


def test_points_are_those_of_nets_recalibrated_one_by_one(data: Splits, trained: Weights) -> None:
    model, events = WithUnused(), list[Event]()
    model.load_state_dict(trained, strict=False)
    found = scanned(model, data, events, data.train)
    assert found.traced
    assert not [event for event in events if isinstance(event, Notice)]
    assert rows(found) == one_by_one(model, data)
    after = model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in trained.items())
    assert rows(scanned(model, data, events, None)) != rows(found)


@pytest.mark.parametrize("net", [Shared, Traced])
def test_layers_that_cannot_be_followed_are_recalibrated_slowly(
    data: Splits, net: type[nn.Module]
) -> None:
    torch.manual_seed(0)
    model, events = net(), list[Event]()
    drain(recalibrate(model, data.train))
    found = scanned(model, data, events, data.train)
    assert not found.traced
    assert any("slow scan" in event.text for event in events if isinstance(event, Notice))
    assert rows(found) == one_by_one(model, data)


def test_a_scan_that_is_stopped_while_it_recalibrates_has_no_images(
    data: Splits, trained: Weights
) -> None:
    model, asked = Residual(), 0
    model.load_state_dict(trained)

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    stream = scan(
        model, data.validation, split="validation", sparsities=POINTS, train=data.train, stop=stop
    )
    found = drain(stream)
    assert found.stopped
    assert {point.images for point in found.points()} == {0}
    after = model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in trained.items())


def test_a_net_without_such_layers_is_scanned_as_ever(data: Splits) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    few = replace(data, validation=head(data.validation, 50))
    runs: tuple[list[Event], list[Event]] = [], []
    for train, events in zip((None, data.train), runs, strict=True):
        scanned(model, few, events, train)
    assert runs[0] == runs[1]
