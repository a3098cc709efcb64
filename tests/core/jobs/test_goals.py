"""Searches with real fine-tunings on a few digits: ratios and bases of the trials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.data.batches import Splits
from core.events import drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import TrialRecord
from core.jobs.dense_net import open_dense_net
from core.jobs.goals import search_for, size_bounds
from core.jobs.search import LEAST
from core.jobs.workbench import Net, Workbench
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
    return workbench.net_of(weights, dense.accuracy, dense=dense.accuracy)


def test_a_search_begins_above_what_its_base_has_already(
    workbench: Workbench, light: Net, tmp_path: Path
) -> None:
    found = drain(search_for(workbench, light, 100.0, "lamp", {}, Experiment(tmp_path), trials=2))
    first, second = found.trials
    assert first.ratio == pytest.approx(228_010 / 6_183 * LEAST)
    assert first.base is light
    assert second.ratio == pytest.approx(2 * first.ratio)
    assert second.base.run == first.result.run == "0001"
    assert found.best is second
    said = [run.record.search for run in Experiment(tmp_path).runs()]
    assert said == [TrialRecord(1, found.least), TrialRecord(2, found.least)]


def test_size_bounds_count_floors_locks_and_biases(
    workbench: Workbench, dense: Net, light: Net
) -> None:
    assert [bound.nonzero for bound in size_bounds(workbench, dense, {})] == [228_010, 394 + 5]
    assert [bound.nonzero for bound in size_bounds(workbench, light, {})] == [6_183, 394 + 5]
    heaviest, lightest = size_bounds(workbench, dense, {"fc1": 0.5, "fc2": 1.0})
    assert heaviest.nonzero == 228_010 - 147_456 // 2 - 2_560
    assert lightest.nonzero == 394 + 3 + 147_456 // 2
