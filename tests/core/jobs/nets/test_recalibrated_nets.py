"""A net with BatchNorm through the jobs: every measurement of a plan is of one recalibrated net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.data.batches import Splits
from core.events import Batch, Event, Notice, Progress, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import RecalibrationRecord
from core.formats.export_formats import Packing
from core.formats.weights_files import load_weights
from core.jobs import recorded_jobs
from core.jobs.export import export
from core.jobs.measurement import compare, prune, pruned_net, sample
from core.jobs.net import Net
from core.jobs.restore import settings_of
from core.jobs.workbench import Workbench
from core.measure.evaluation import measure
from core.measure.recalibration import recalibrate
from core.nets.weights import copy_weights, weights_digest
from core.pruning.masks import Masks
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.conftest import head
from tests.core.measure.recalibration.residual import Residual, trained_residual

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(few: Splits) -> Splits:
    return Splits(head(few.train, 300), head(few.validation, 200), head(few.test, 200))


@pytest.fixture(scope="module")
def settings(data_dir: Path) -> Settings:
    name = f"{Residual.__module__}:{Residual.__name__}"
    changes = RecipeChanges(epochs=1, batch_size=50)
    return Settings(model=name, data_dir=data_dir, precision="fp32", changes=changes, threads=1)


def workbench_on(data: Splits, settings: Settings) -> Workbench:
    workbench = Workbench(settings)
    workbench._splits = data
    return workbench


@pytest.fixture
def workbench(data: Splits, settings: Settings) -> Workbench:
    return workbench_on(data, settings)


@pytest.fixture(scope="module")
def base(data: Splits, settings: Settings) -> Net:
    workbench = workbench_on(data, settings)
    weights = trained_residual(data.train, epochs=2)
    model = workbench.models.for_inference(weights)
    return workbench.net_of(weights, drain(measure(model, data, "dense")))


@pytest.fixture(scope="module")
def plan(data: Splits, settings: Settings) -> dict[str, float]:
    return dict.fromkeys(workbench_on(data, settings).layer_names, 0.7)


def batches(events: list[Event]) -> int:
    return sum(isinstance(event, Progress) and event.step == "recalibrating" for event in events)


def test_a_plan_is_one_recalibrated_net_wherever_it_is_measured(
    workbench: Workbench, base: Net, plan: dict[str, float], data: Splits, tmp_path: Path
) -> None:
    before = weights_digest(base.weights)
    expected = workbench.models.uninitialized()
    Masks.of(base.weights, workbench.layers, plan).load(expected, base.weights)
    drain(recalibrate(expected, data.train))
    accuracy = drain(prune(workbench, base, plan)).accuracy
    assert accuracy == drain(measure(expected, data, "pruned"))
    events: list[Event] = []
    model = drain(pruned_net(workbench, base, plan), events.append)
    assert batches(events)
    assert weights_digest(copy_weights(model)) == weights_digest(copy_weights(expected))
    events.clear()
    found = drain(sample(workbench, base, plan), events.append)
    counts = drain(compare(workbench, base, base, plan, "wrong", 0, matrix=True)).counts
    assert not batches(events), "they are kept"
    assert 100 * found.correct / found.images == accuracy.validation
    assert counts is not None
    right = (torch.tensor(counts.pruned_predictions) == data.test.labels).sum()
    assert 100 * int(right) / len(data.test) == accuracy.test
    written = drain(export(workbench, copy_weights(model), tmp_path / "net.fw", Packing()))
    assert written.accuracy == accuracy
    read = load_weights(written.path, workbench.models.uninitialized())
    assert torch.equal(read["norm.running_mean"], expected.state_dict()["norm.running_mean"])
    assert weights_digest(base.weights) == before == base.digest


def test_off_leaves_the_statistics_of_the_base_and_says_so_once(
    workbench: Workbench, base: Net, plan: dict[str, float], data: Splits
) -> None:
    stale = workbench.with_settings(replace(workbench.settings, recalibrate="off"))
    events: list[Event] = []
    for _ in range(2):
        pruned = drain(prune(stale, base, plan), events.append).accuracy
    assert not batches(events)
    (said,) = [event for event in events if isinstance(event, Notice)]
    assert said.warning
    assert said.text.startswith("--recalibrate off: ")
    model = workbench.models.uninitialized()
    Masks.of(base.weights, workbench.layers, plan).load(model, base.weights)
    assert pruned == drain(measure(model, data, "pruned"))
    assert drain(prune(workbench, base, plan)).accuracy != pruned
    assert stale.data_name != workbench.data_name, "their scans differ"


def test_a_run_records_what_it_was_recalibrated_on(
    workbench: Workbench, base: Net, plan: dict[str, float], tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    pruned = drain(prune(workbench, base, plan)).accuracy
    result = drain(recorded_jobs.finetune(workbench, base, plan, experiment))
    assert result.pruned == pruned
    record = experiment.find(result.run or "").checked()
    assert record.recalibrate == "on"
    assert record.recalibration == RecalibrationRecord(layers=5, images=300, seed=0)
    off = workbench.with_settings(replace(workbench.settings, recalibrate="off"))
    stale = drain(recorded_jobs.finetune(off, base, plan, experiment))
    run = experiment.find(stale.run or "")
    assert (run.record.recalibrate, run.record.recalibration) == ("off", None)
    assert stale.pruned != pruned
    assert settings_of(run, workbench.settings).recalibrate == "off"


def test_what_is_pruned_when_fine_tuning_is_stopped_is_recalibrated(
    workbench: Workbench, base: Net, plan: dict[str, float], data: Splits
) -> None:
    stopped, events = False, list[Event]()

    def see(event: Event) -> None:
        nonlocal stopped
        events.append(event)
        stopped |= isinstance(event, Batch)

    result = drain(workbench.finetune(base, plan, stop=lambda: stopped), see)
    assert result.best is None
    model = workbench.models.for_inference(result.weights)
    drain(recalibrate(model, data.train))
    assert weights_digest(copy_weights(model)) == weights_digest(result.weights)
    assert batches(events) == 2 * 4  # three batches of 100, before and after
