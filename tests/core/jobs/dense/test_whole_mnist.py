"""The shipped net on all of MNIST: its published accuracy, dense and pruned in one shot."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.events import Event, Measured, drain
from core.jobs import measurement
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.weights import Weights
from core.pruning.plans import Plan
from core.settings.settings import Settings
from tests.core.jobs.test_workbench import LAYERS, assert_profiles_are_those_of


@pytest.fixture(scope="module")
def workbench(mnist_dir: Path) -> Workbench:
    return Workbench(Settings(data_dir=mnist_dir, precision="fp32"))


@pytest.fixture(scope="module")
def opened(workbench: Workbench) -> tuple[Net, list[Event]]:
    events: list[Event] = []
    return drain(open_dense_net(workbench), events.append), events


def test_the_shipped_net_is_as_good_as_the_references(
    workbench: Workbench, opened: tuple[Net, list[Event]], shipped: Weights
) -> None:
    net, events = opened
    assert net.accuracy.test >= 99.2
    assert net.accuracy.validation >= 98.5
    assert events[-1] == Measured("dense", net.accuracy)
    assert all(torch.equal(net.weights[name], shipped[name]) for name in shipped)
    assert (workbench.layer_names, workbench.parameters) == (LAYERS, 228_010)
    assert_profiles_are_those_of(net, shipped)


def test_the_aggressive_choice_is_near_chance_before_fine_tuning(
    workbench: Workbench, opened: tuple[Net, list[Event]], aggressive: Plan
) -> None:
    net, _ = opened
    before = {name: tensor.clone() for name, tensor in net.weights.items()}
    state = torch.get_rng_state()
    pruned = drain(measurement.prune(workbench, net, aggressive))
    assert pruned.accuracy.test < 30
    assert pruned.dead is not None
    assert list(pruned.dead.units.values()) == [0, 0, 0, 88, 0]
    assert all(torch.equal(net.weights[name], before[name]) for name in before)
    assert torch.equal(torch.get_rng_state(), state)
