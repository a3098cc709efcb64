"""Recorded trainings: killed, resumed, restored; and a failing disk."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import pytest
import torch

from core.data import Dataset
from core.data.batches import Splits
from core.errors import InputError
from core.events import Batch, Epoch, Event, Notice, Stream, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import BaseRecord, read_record, record_json
from core.experiments.runs import DONE, INTERRUPTED, RUNNING, STOPPED, Run
from core.jobs import recorded_jobs
from core.jobs.dense_net import open_dense_net
from core.jobs.restore import restore
from core.jobs.resume import resume
from core.jobs.workbench import Net, Workbench
from core.pruning.plans import Plan
from core.settings.recipe_changes import Choices
from core.settings.settings import Settings
from core.training.finetuning import FineTuningResult
from tests.core.conftest import head
from tests.core.training.loops import of_type, recorded, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

CHOICES = Choices(epochs=3)


def small(dataset: Dataset, device: object, whole: Callable[..., Splits]) -> Splits:
    """The first images of each split."""
    data = whole(dataset, device)
    return Splits(head(data.train, 600), head(data.validation, 100), head(data.test, 100))


def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, precision="fp32", choices=CHOICES, threads=1)


@pytest.fixture(scope="module")
def workbench(data_dir: Path) -> Iterator[Workbench]:
    whole, threads = Splits.of, torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield Workbench(settings(data_dir))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(workbench: Workbench) -> Net:
    return drain(open_dense_net(workbench))


@dataclass
class Kept:
    """A recorded fine-tuning and its experiment."""

    experiment: Experiment
    plan: Plan
    result: FineTuningResult

    @property
    def run(self) -> Run:
        return self.experiment.find(self.result.run or "")


@pytest.fixture(scope="module")
def kept(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """A run that no test changes."""
    experiment = Experiment(tmp_path_factory.mktemp("kept"))
    result = drain(recorded_jobs.finetune(workbench, base, aggressive, experiment))
    return Kept(experiment, aggressive, result)


def test_a_run_holds_what_came_of_it(kept: Kept, base: Net) -> None:
    run, result = kept.run, kept.result
    assert (run.id, run.status) == ("0001", DONE)
    assert same(run.weights(), result.weights)
    record = run.checked()
    assert record.accuracy.finetuned == result.accuracy
    assert [row.epoch for row in record.epochs] == [1, 2, 3]
    assert {row.name: row.sparsity for row in record.layers} == kept.plan
    assert (record.nonzero, record.revived) == (6_183, 0)
    assert record.base == BaseRecord(None, base.digest, True)
    assert record.choices == CHOICES
    assert record.environment["torch"]
    assert not (run.folder / "checkpoint.safetensors").exists()


def test_what_is_recorded_is_not_changed_by_recording_it(
    kept: Kept, workbench: Workbench, base: Net, aggressive: Plan
) -> None:
    plain = drain(workbench.finetune(base, aggressive))
    assert same(plain.weights, kept.result.weights)
    assert plain.accuracy == kept.result.accuracy


def test_a_run_is_restored(kept: Kept, workbench: Workbench, base: Net) -> None:
    restored = drain(restore(workbench, base, kept.experiment, kept.run))
    assert restored.base is base
    assert restored.plan == kept.plan
    assert same(restored.net.weights, kept.result.weights)
    assert restored.net.accuracy == kept.result.accuracy
    assert restored.pruned == kept.result.pruned
    assert restored.dead == kept.result.dead
    assert restored.settings.choices == CHOICES
    assert [epoch.validation for epoch in restored.epochs] == [
        epoch.validation for epoch in kept.result.epochs
    ]
    assert restored.net.profiles[1].floor == pytest.approx(0.95)


def test_a_run_that_went_on_from_another_finds_its_base(
    kept: Kept, workbench: Workbench, base: Net, tmp_path: Path
) -> None:
    copytree(kept.experiment.folder, folder := tmp_path / "copy")
    experiment = Experiment(folder)
    net = workbench.net(kept.result, base)
    plan = {name: min(1.0, sparsity + 0.01) for name, sparsity in kept.plan.items()}
    second = drain(recorded_jobs.finetune(workbench, net, plan, experiment))
    run = experiment.find(second.run or "")
    assert run.record.base == BaseRecord("0001", net.digest, True)
    assert run.record.accuracy.dense == base.accuracy
    restored = drain(restore(workbench, base, experiment, run))
    assert restored.base.digest == net.digest
    assert restored.net.dense == base.accuracy
    experiment.delete(experiment.find("1"))
    with pytest.raises(InputError, match="no run '0001'"):
        drain(restore(workbench, base, experiment, run))


def changed(run: Run, said: dict[str, object]) -> Run:
    """A run with a modified file."""
    record, faults = read_record({**record_json(run.record), **said}, "run.json")
    return replace(run, record=record, faults=faults)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"model": "vgg16"}, "has the model 'vgg16', not 'cnn5': open it with --model vgg16"),
        ({"protocol": "reference"}, "open it with --protocol reference"),
        ({"inputs": {"image_size": 32}}, "open it with --image-size 32"),
        ({"inputs": {"side": 32}}, r"run.json: inputs\.side: unknown key, expected one of"),
        ({"choices": {"epochs": 0}}, r"run.json: choices: .*0"),
        ({"choices": {"speed": 3}}, r"run.json: choices\.speed: unknown key, expected one of"),
        ({"choices": "x"}, "run.json: choices: found 'x', expected an object"),
        ({"recipe": None}, "run.json: recipe: found nothing"),
        ({"layers": [{"name": "conv1"}]}, "conv1, conv2"),
        (
            {"accuracy": {"finetuned": {"validation": "high", "test": 99}}},
            r"run.json: accuracy\.finetuned\.validation: found 'high', expected a number",
        ),
        ({"accuracy": {}}, r"run.json: accuracy\.finetuned: found nothing"),
        ({"base": {"run": None, "weights": "0"}}, "started from is missing"),
    ],
)
def test_a_run_that_cannot_be_restored_says_why(
    kept: Kept, workbench: Workbench, base: Net, facts: dict[str, object], said: str
) -> None:
    run = changed(kept.run, facts)
    with pytest.raises(InputError, match=said):
        drain(restore(workbench, base, kept.experiment, run))


def test_one_that_was_stopped_is_called_so(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    experiment, events = Experiment(tmp_path), list[Event]()
    stream = recorded_jobs.finetune(
        workbench, base, aggressive, experiment, stop=lambda: bool(of_type(Epoch, events))
    )
    result = drain(stream, events.append)
    assert result.stopped
    assert experiment.newest().status == STOPPED


def broken_off(stream: Stream[object], experiment: Experiment) -> Run:
    """A training interrupted after its first epoch."""
    while not isinstance(next(stream), Epoch):
        pass
    next(stream)  # the checkpoint is written before the next event
    stream.close()
    return experiment.newest()


def test_a_closed_stream_leaves_its_last_epoch_to_go_on_from(
    kept: Kept, workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recorded_jobs.finetune(workbench, base, aggressive, experiment), experiment)
    assert (run.id, run.status, len(run.record.epochs)) == ("0001", INTERRUPTED, 1)
    resumed = drain(resume(workbench, base, run, experiment))
    assert same(resumed.weights, kept.result.weights)
    done = experiment.find("1")
    assert done.status == DONE
    assert len(done.record.resumed) == 1
    with pytest.raises(InputError, match="run 0001 is done: there is nothing to resume"):
        drain(resume(workbench, base, done, experiment))


def test_dense_training_is_recorded_with_its_early_weights(
    workbench: Workbench, base: Net, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    trained = drain(recorded_jobs.train(workbench, experiment))
    run = experiment.find(trained.run or "")
    assert (run.record.kind, run.record.planned_epochs) == ("train", 3)
    restored = drain(restore(workbench, base, experiment, run))
    assert restored.plan is None
    assert restored.net.early is not None
    assert same(restored.net.early, trained.early)
    assert restored.net.accuracy == trained.accuracy


def test_dense_training_goes_on_from_its_last_epoch(
    workbench: Workbench, base: Net, tmp_path: Path
) -> None:
    whole = drain(recorded_jobs.train(workbench, Experiment(tmp_path / "whole")))
    experiment = Experiment(tmp_path / "broken off")
    run = broken_off(recorded_jobs.train(workbench, experiment), experiment)
    assert (run.status, len(run.record.epochs)) == (INTERRUPTED, 1)
    other = workbench.with_settings(replace(workbench.settings, choices=Choices(epochs=9), seed=5))
    result, events = recorded(resume(other, base, run, experiment))
    assert [epoch.epoch for epoch in of_type(Epoch, events)] == [2, 3]
    assert same(result.weights, whole.weights)
    done = experiment.find("1")
    assert (done.status, len(done.record.epochs)) == (DONE, 3)
    restored = drain(restore(workbench, base, experiment, done))
    assert restored.net.early is not None
    assert same(restored.net.early, whole.early)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"training": {"epochs": 4}}, "another version of its recipe"),
        ({"kind": "finetune", "layers": []}, "does not match the layers"),
        ({"protocol": "reference"}, "open it with --protocol reference"),
    ],
)
def test_a_run_that_cannot_be_resumed_says_why(
    workbench: Workbench, base: Net, tmp_path: Path, facts: dict[str, object], said: str
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recorded_jobs.train(workbench, experiment), experiment)
    with pytest.raises(InputError, match=said):
        drain(resume(workbench, base, changed(run, facts), experiment))


def test_a_disk_that_refuses_costs_a_warning_not_the_training(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    result, events = recorded(
        recorded_jobs.finetune(workbench, base, aggressive, Experiment(place))
    )
    warnings = [event.text for event in of_type(Notice, events) if event.warning]
    assert len(warnings) == 1
    assert "this run will not be recorded" in warnings[0]
    assert (result.run, len(result.epochs)) == (None, 3)


def test_checkpoints_that_cannot_be_written_cost_a_warning_each(
    workbench: Workbench,
    base: Net,
    aggressive: Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no space left")

    monkeypatch.setattr("core.experiments.run_writer.RunWriter.checkpoint", refuse)
    experiment = Experiment(tmp_path / "experiment")
    result, events = recorded(recorded_jobs.finetune(workbench, base, aggressive, experiment))
    warnings = [event.text for event in of_type(Notice, events) if event.warning]
    assert warnings == ["this epoch could not be recorded: no space left"] * 3
    assert experiment.find(result.run or "").status == DONE


KILLED = """
import os, signal, sys
from pathlib import Path
from core.data.batches import Splits
from core.events import Batch, Epoch, drain
from core.experiments.experiment import Experiment
from core.pruning.presets import preset_plan
from core.jobs import recorded_jobs
from core.jobs.dense_net import open_dense_net
from core.jobs.workbench import Workbench
from tests.core.jobs.test_recorded_jobs import settings, small
from tests.digits import in_place_of_mnist

whole = Splits.of
Splits.of = lambda dataset, device: small(dataset, device, whole)
workbench = Workbench(settings(Path(sys.argv[1])))
digits = in_place_of_mnist(Path(sys.argv[1]))
digits.__enter__()
job, kind, count = sys.argv[3], {"Batch": Batch, "Epoch": Epoch}[sys.argv[4]], int(sys.argv[5])
experiment = Experiment(Path(sys.argv[2]))
if job == "finetune":
    plan = preset_plan("aggressive", "cnn5", workbench.layer_names)
    stream = recorded_jobs.finetune(workbench, drain(open_dense_net(workbench)), plan, experiment)
else:
    stream = recorded_jobs.train(workbench, experiment)
for event in stream:
    count -= isinstance(event, kind)
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(folder: Path, data_dir: Path, job: str, event: str, count: int) -> Run:
    """A recorded job whose process kills itself at its n-th event of a kind."""
    code = [sys.executable, "-c", KILLED, str(data_dir), str(folder), job, event, str(count)]
    child = subprocess.run(code, cwd=Path(__file__).parents[3], check=False)
    assert child.returncode == -signal.SIGKILL
    return Experiment(folder).newest()


def test_killed_in_its_third_epoch_it_comes_to_the_same_when_resumed(
    kept: Kept, workbench: Workbench, base: Net, data_dir: Path, tmp_path: Path
) -> None:
    """An epoch is reported before its checkpoint is written, so the third one is lost."""
    run = killed(tmp_path, data_dir, "finetune", "Epoch", 3)
    assert (run.status, len(run.record.epochs)) == (INTERRUPTED, 2)
    resumed = drain(resume(workbench, base, run, Experiment(tmp_path)))
    assert same(resumed.weights, kept.result.weights)
    assert Experiment(tmp_path).newest().status == DONE


def test_killed_in_its_first_epoch_a_fine_tuning_starts_over_from_its_settings(
    kept: Kept, workbench: Workbench, base: Net, data_dir: Path, tmp_path: Path
) -> None:
    run, experiment = killed(tmp_path, data_dir, "finetune", "Batch", 2), Experiment(tmp_path)
    assert (run.status, run.record.epochs, run.checkpoint()) == (INTERRUPTED, (), None)
    assert run.resumable
    other = workbench.with_settings(replace(workbench.settings, choices=Choices(epochs=9), seed=5))
    result, events = recorded(resume(other, base, run, experiment))
    assert [epoch.epoch for epoch in of_type(Epoch, events)] == [1, 2, 3]
    assert same(result.weights, kept.result.weights)
    (done,) = experiment.runs()
    assert (done.id, done.status, len(done.record.epochs)) == (run.id, DONE, 3)
    assert len(done.record.resumed) == 1
    assert done.record.created == run.record.created


def test_killed_in_its_first_epoch_a_dense_training_starts_over(
    workbench: Workbench, base: Net, data_dir: Path, tmp_path: Path
) -> None:
    whole = drain(recorded_jobs.train(workbench, Experiment(tmp_path / "whole")))
    run = killed(tmp_path / "killed", data_dir, "train", "Batch", 2)
    assert (run.status, run.record.epochs, run.resumable) == (INTERRUPTED, (), True)
    experiment = Experiment(tmp_path / "killed")
    result = drain(resume(workbench, None, run, experiment))
    assert same(result.weights, whole.weights)
    assert experiment.newest().status == DONE


def test_a_run_that_is_started_over_and_left_again_stays(
    workbench: Workbench, base: Net, data_dir: Path, tmp_path: Path
) -> None:
    run, experiment = killed(tmp_path, data_dir, "finetune", "Batch", 2), Experiment(tmp_path)
    stream = resume(workbench, base, run, experiment)
    while not isinstance(next(stream), Batch):
        pass
    assert experiment.newest().status == RUNNING
    stream.close()
    assert (experiment.newest().status, experiment.newest().resumable) == (INTERRUPTED, True)
