"""Exported nets, and what is recorded with the run that produced them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.events import Accuracy, Notice, Stream, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from core.experiments.runs import Run
from core.formats.export_formats import Packing
from core.formats.weights_files import load_weights
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.footprint import total
from core.nets.weights import Weights
from core.pruning.masks import Masks
from core.settings.settings import Settings
from tui.cli.main import main
from tui.jobs.backend import Backend
from tui.state.results import Result

MODEL = "lenet-300-100"
PLAN = {"fc1": 0.92, "fc2": 0.8, "fc3": 0.5}
SMALL = Packing("codebook", levels=8)
ACCURACY = Accuracy(97.0, 97.1)


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def backend(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    settings = Settings(model=MODEL, data_dir=data_dir, precision="fp32", threads=1)
    return Backend(settings, Experiment(tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="module")
def workbench(backend: Backend) -> Workbench:
    return backend._workbench


@pytest.fixture(scope="module")
def dense(workbench: Workbench) -> Weights:
    return load_weights(workbench.spec.shipped_weights, workbench.models.uninitialized())


@pytest.fixture(scope="module")
def pruned(workbench: Workbench, dense: Weights) -> Weights:
    return Masks.of(dense, workbench.layers, PLAN).apply(dense)


@pytest.fixture
def run(backend: Backend, pruned: Weights) -> Run:
    record = RunRecord(model=MODEL, dataset="mnist", protocol="default", precision="fp32")
    return backend.experiment.begin(record).finish(pruned, record)


def tuned(workbench: Workbench, dense: Weights, weights: Weights, run: str | None) -> Result:
    """The result of a fine-tuning to these weights."""
    base = workbench.net_of(dense, ACCURACY)
    net = workbench.net_of(weights, ACCURACY, run=run)
    what_ifs = [(profile, profile.what_if(PLAN[profile.layer.name])) for profile in base.profiles]
    cost = total((profile.footprint(cut) for profile, cut in what_ifs), base.other_parameters)
    return Result(PLAN, base, ACCURACY, cost, net)


def exported(backend: Backend, result: Result, to: Path, packing: Packing) -> Stream:
    return backend.export(result, to, packing, backend.settings, lambda: False)


def test_a_net_of_a_run_is_recorded_beside_it(backend, workbench, dense, pruned, run, tmp_path):
    result = tuned(workbench, dense, pruned, run.id)
    export, sizes = drain(exported(backend, result, tmp_path / "net.fw", SMALL))
    assert backend.experiment.find(run.id).exports == (export,)
    assert export.file == str(tmp_path / "net.fw")
    assert export.bytes == (tmp_path / "net.fw").stat().st_size
    assert (export.values, export.levels) == ("codebook", 8)
    assert sizes == workbench.sizes(pruned)
    assert export.bytes < sizes.compact < sizes.values


def test_an_export_of_a_one_shot_plan_belongs_to_no_run(
    backend, workbench, dense, pruned, run, tmp_path
):
    one_shot = tuned(workbench, dense, pruned, run.id)
    one_shot = Result(PLAN, one_shot.base, ACCURACY, one_shot.footprint)
    export, sizes = drain(exported(backend, one_shot, tmp_path / "net.fw", Packing()))
    assert export.bytes == sizes.compact
    assert backend.experiment.find(run.id).exports == ()
    read = load_weights(tmp_path / "net.fw", workbench.models.uninitialized())
    assert all((read[name] == pruned[name]).all() for name in pruned)


def test_a_base_as_it_is_belongs_to_its_run(backend, workbench, pruned, run, tmp_path):
    base: Net = workbench.net_of(pruned, ACCURACY, run=run.id)
    plan = {profile.layer.name: profile.floor for profile in base.profiles}
    cost = total((p.footprint(p.what_if(p.floor)) for p in base.profiles), base.other_parameters)
    result = Result(plan, base, ACCURACY, cost)
    export, _ = drain(exported(backend, result, tmp_path / "net.fw", Packing()))
    assert backend.experiment.find(run.id).exports == (export,)


def test_a_run_that_is_gone_costs_no_file(backend, workbench, dense, pruned, run, tmp_path):
    backend.experiment.delete(run)
    said = []
    result = tuned(workbench, dense, pruned, run.id)
    drain(exported(backend, result, tmp_path / "net.fw", SMALL), said.append)
    assert (tmp_path / "net.fw").exists()
    warnings = [event.text for event in said if isinstance(event, Notice) and event.warning]
    assert len(warnings) == 1
    assert f"run {run.id}" in warnings[0]


def test_the_export_command_records_its_file_with_the_run(backend, run, data_dir, tmp_path, capsys):
    place = f"{backend.experiment.folder}:{run.id}"
    to, target = tmp_path / "net.fw", tmp_path / "export.json"
    options = ("--levels", "8", "--threads", "1", "--data-dir", str(data_dir))
    assert main(["export", place, "--to", str(to), *options, "--json", str(target)]) == 0
    (export,) = backend.experiment.find(run.id).exports
    report = json.loads(target.read_text())
    assert export.bytes == report["bytes"] == to.stat().st_size
    assert export.accuracy.test == report["accuracy"]["test"]
    assert export.levels == 8
    assert "read back" in capsys.readouterr().out
