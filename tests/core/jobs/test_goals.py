"""From goals to plans on a few digits: bounds, multiplications and times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.batches import Splits
from core.errors import InputError
from core.events import Event, Notice, Stream, drain
from core.experiments.experiment import Experiment
from core.inference.sparse import layer_times
from core.jobs import measurement
from core.jobs.dense_net import open_dense_net
from core.jobs.goals import cost_bounds, plan_for
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.layers import Layer
from core.pruning.budgets.costs import CostsKnown, LayerCosts, NetCosts, parameter_costs
from core.pruning.goals import parse_goal
from core.pruning.masks import Masks
from core.pruning.plans import Plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.jobs.conftest import small

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def workbench(data_dir: Path) -> Iterator[Workbench]:
    whole, threads = Splits.of, torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield Workbench(
            Settings(data_dir=data_dir, precision="fp32", changes=RecipeChanges(epochs=1))
        )
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def dense(workbench: Workbench) -> Net:
    return drain(open_dense_net(workbench))


@pytest.fixture(scope="module")
def light(workbench: Workbench, dense: Net, aggressive: Plan) -> Net:
    """A net pruned 36.88x, as by the key `a`."""
    weights = Masks.of(dense.weights, workbench.layers, aggressive).apply(dense.weights)
    return workbench.net_of(weights, dense.accuracy).pruned_from(dense)


def test_cost_bounds_count_floors_locks_and_biases(
    workbench: Workbench, dense: Net, light: Net
) -> None:
    costs = parameter_costs(workbench.layers, workbench.parameters)
    assert cost_bounds(dense, costs, {}) == (228_010, 394 + 5)
    assert cost_bounds(light, costs, {}) == (6_183, 394 + 5)
    heaviest, lightest = cost_bounds(dense, costs, {"fc1": 0.5, "fc2": 1.0})
    assert heaviest == 228_010 - 147_456 // 2 - 2_560
    assert lightest == 394 + 3 + 147_456 // 2


MACS = 12_694_016
"""Of cnn5: 576, 400 and 36 places for the weights of its convolutions, one for those after."""


@pytest.mark.parametrize("goal", ["25 % macs", "3173504 macs"])
def test_a_goal_in_multiplications_is_met_and_reported(
    goal: str, workbench: Workbench, dense: Net, tmp_path: Path
) -> None:
    said: list[Event] = []
    plan = drain(
        plan_for(workbench, dense, parse_goal(goal), "lamp", {}, Experiment(tmp_path)), said.append
    )
    uses = dict(zip(workbench.layer_names, (576, 400, 36, 1, 1), strict=True))
    kept = {p.layer.name: p.what_if(plan[p.layer.name]).kept for p in dense.profiles}
    macs = sum(uses[name] * count for name, count in kept.items())
    assert 0.249_9 * MACS < macs <= 0.25 * MACS
    texts = [event.text for event in said if isinstance(event, Notice)]
    assert texts == [f"{goal} by lamp: {macs:,} of {MACS:,} multiplications"]


def test_times_are_measured_once_and_then_read(
    workbench: Workbench,
    dense: Net,
    tmp_path: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def linear(pruned: object, layers: tuple[Layer, ...], *_: object, **__: object) -> Stream[Any]:
        asked.append(layers)
        yield from ()
        each = {
            la.name: LayerCosts((0, la.elements), (100.0, 100.0 + la.elements)) for la in layers
        }
        return NetCosts("ns", each, 500.0)

    def planned(goal: str, **locked: float) -> Plan:
        workbench.models.costs.pop("ns", None)
        wanted, place = parse_goal(goal), Experiment(tmp_path)
        return drain(plan_for(workbench, dense, wanted, "magnitude", locked, place))

    monkeypatch.setattr(layer_times, "time_layers", linear)
    plan = planned("0.1 ms")
    kept = sum(p.what_if(plan[p.layer.name]).kept for p in dense.profiles)
    assert kept <= 99_000 < kept + 20
    assert planned("0.1 ms") == plan
    assert len(asked) == 1
    with pytest.raises(InputError, match=r"takes at least 0\.001 ms here, however sparse it is;"):
        planned("0.0005 ms")
    with pytest.raises(InputError, match=r"at least 0\.149 ms .* with these layers locked;"):
        planned("0.1 ms", fc1=0.0)
    known = []
    drain(measurement.known_costs(workbench, dense.weights), known.append)
    assert [event.costs.unit for event in known if isinstance(event, CostsKnown)] == ["macs", "ns"]
