"""Trainings recorded on real MNIST: killed, resumed, recalled; and a disk that refuses."""

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
from core.events import Epoch, Event, Notice, Stream, drain
from core.experiments.experiment import Experiment
from core.experiments.runs import DONE, INTERRUPTED, STOPPED, Run
from core.jobs import recording
from core.jobs.dense_net import open_dense_net
from core.jobs.restore import recall
from core.jobs.workbench import Net, Workbench
from core.pruning.plans import Plan
from core.settings.choices import Choices
from core.settings.settings import Settings
from core.training.finetuning import FineTuned
from tests.core.conftest import head
from tests.core.training.loops import of_type, recorded, same

pytestmark = pytest.mark.usefixtures("one_thread")

CHOICES = Choices(epochs=3)


def small(dataset: Dataset, device: object, whole: Callable[..., Splits]) -> Splits:
    """The first images of each split."""
    data = whole(dataset, device)
    return Splits(head(data.train, 600), head(data.validation, 100), head(data.test, 100))


def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, precision="fp32", choices=CHOICES, threads=1)


@pytest.fixture(scope="module")
def bench(data_dir: Path) -> Iterator[Workbench]:
    whole, threads = Splits.of, torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield Workbench(settings(data_dir))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(bench: Workbench) -> Net:
    return drain(open_dense_net(bench))


@dataclass
class Kept:
    """A recorded fine-tuning and where it is."""

    experiment: Experiment
    plan: Plan
    result: FineTuned

    @property
    def run(self) -> Run:
        return self.experiment.find(self.result.run or "")


@pytest.fixture(scope="module")
def kept(
    bench: Workbench, base: Net, aggressive: Plan, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """One that no test changes."""
    experiment = Experiment(tmp_path_factory.mktemp("kept"))
    result = drain(recording.finetune(bench, base, aggressive, experiment))
    return Kept(experiment, aggressive, result)


def test_a_run_holds_what_came_of_it(kept: Kept, base: Net) -> None:
    run, result = kept.run, kept.result
    assert (run.id, run.status) == ("0001", DONE)
    assert same(run.weights(), result.weights)
    facts = run.facts
    assert facts["accuracy"]["finetuned"]["test"] == result.accuracy.test
    assert [row["epoch"] for row in facts["epochs"]] == [1, 2, 3]
    assert {row["name"]: row["sparsity"] for row in facts["layers"]} == kept.plan
    assert (facts["nonzero"], facts["revived"]) == (6_183, 0)
    assert facts["base"] == {"run": None, "weights": base.digest, "trained": True}
    assert facts["choices"] == {"epochs": 3}
    assert facts["environment"]["torch"]
    assert not (run.folder / "checkpoint.safetensors").exists()


def test_what_is_recorded_is_not_changed_by_recording_it(
    kept: Kept, bench: Workbench, base: Net, aggressive: Plan
) -> None:
    plain = drain(bench.finetune(base, aggressive))
    assert same(plain.weights, kept.result.weights)
    assert plain.accuracy == kept.result.accuracy


def test_a_run_is_recalled(kept: Kept, bench: Workbench, base: Net) -> None:
    recalled = drain(recall(bench, base, kept.experiment, kept.run))
    assert recalled.base is base
    assert recalled.plan == kept.plan
    assert same(recalled.net.weights, kept.result.weights)
    assert recalled.net.accuracy == kept.result.accuracy
    assert recalled.pruned == kept.result.pruned
    assert recalled.dead == kept.result.dead
    assert recalled.settings.choices == CHOICES
    assert [epoch.validation for epoch in recalled.epochs] == [
        epoch.validation for epoch in kept.result.epochs
    ]
    assert recalled.net.profiles[1].floor == pytest.approx(0.95)


def test_a_run_that_went_on_from_another_finds_its_base(
    kept: Kept, bench: Workbench, base: Net, tmp_path: Path
) -> None:
    copytree(kept.experiment.folder, folder := tmp_path / "copy")
    experiment = Experiment(folder)
    net = bench.net(kept.result, base)
    plan = {name: min(1.0, sparsity + 0.01) for name, sparsity in kept.plan.items()}
    second = drain(recording.finetune(bench, net, plan, experiment))
    run = experiment.find(second.run or "")
    assert run.facts["base"] == {"run": "0001", "weights": net.digest, "trained": True}
    assert run.facts["accuracy"]["dense"]["test"] == base.accuracy.test
    recalled = drain(recall(bench, base, experiment, run))
    assert recalled.base.digest == net.digest
    assert recalled.net.dense == base.accuracy
    experiment.delete(experiment.find("1"))
    with pytest.raises(InputError, match="no run '0001'"):
        drain(recall(bench, base, experiment, run))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"model": "vgg16"}, "has the model 'vgg16', not 'cnn5': open it with --model vgg16"),
        ({"protocol": "reference"}, "open it with --protocol reference"),
        ({"inputs": {"image_size": 32}}, "other images than these: open it with --image-size 32"),
        ({"inputs": {"side": 32}}, "has unknown image settings"),
        ({"choices": {"epochs": 0}}, "epochs = 0: expected a whole number from 1"),
        ({"choices": {"speed": 3}}, "settings that are not known"),
        ({"choices": "x"}, "is damaged"),
        ({"layers": [{"name": "conv1"}]}, "no plan for the layers conv1, conv2"),
        ({"accuracy": {"finetuned": {"validation": "high"}}}, "how accurate"),
        ({"base": {"run": None, "weights": "0"}}, "started from a net that is not here"),
    ],
)
def test_what_cannot_be_recalled_says_why(
    kept: Kept, bench: Workbench, base: Net, facts: dict[str, object], said: str
) -> None:
    run = replace(kept.run, facts={**kept.run.facts, **facts})
    with pytest.raises(InputError, match=said):
        drain(recall(bench, base, kept.experiment, run))


def test_one_that_was_stopped_is_called_so(
    bench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    experiment, events = Experiment(tmp_path), list[Event]()
    stream = recording.finetune(
        bench, base, aggressive, experiment, stop=lambda: bool(of_type(Epoch, events))
    )
    result = drain(stream, events.append)
    assert result.stopped
    assert experiment.newest().status == STOPPED


def broken_off(stream: Stream[object], experiment: Experiment) -> Run:
    """A training that was left after its first epoch."""
    while not isinstance(next(stream), Epoch):
        pass
    next(stream)  # the checkpoint is written before the next event
    stream.close()
    return experiment.newest()


def test_a_closed_stream_leaves_its_last_epoch_to_go_on_from(
    kept: Kept, bench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recording.finetune(bench, base, aggressive, experiment), experiment)
    assert (run.id, run.status, len(run.facts["epochs"])) == ("0001", INTERRUPTED, 1)
    resumed = drain(recording.resume(bench, base, run, experiment))
    assert same(resumed.weights, kept.result.weights)
    done = experiment.find("1")
    assert done.status == DONE
    assert len(done.facts["resumed"]) == 1
    with pytest.raises(InputError, match="run 0001 is done: there is nothing to go on with"):
        drain(recording.resume(bench, base, done, experiment))


def test_dense_training_is_recorded_with_its_early_weights(
    bench: Workbench, base: Net, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    trained = drain(recording.train(bench, experiment))
    run = experiment.find(trained.run or "")
    assert (run.facts["kind"], run.facts["training"]["epochs"]) == ("train", 3)
    recalled = drain(recall(bench, base, experiment, run))
    assert recalled.plan is None
    assert recalled.net.early is not None
    assert same(recalled.net.early, trained.early)
    assert recalled.net.accuracy == trained.accuracy


def test_dense_training_goes_on_from_its_last_epoch(
    bench: Workbench, base: Net, tmp_path: Path
) -> None:
    whole = drain(recording.train(bench, Experiment(tmp_path / "whole")))
    experiment = Experiment(tmp_path / "broken off")
    run = broken_off(recording.train(bench, experiment), experiment)
    assert (run.status, len(run.facts["epochs"])) == (INTERRUPTED, 1)
    other = bench.by(replace(bench.settings, choices=Choices(epochs=9), seed=5))
    result, events = recorded(recording.resume(other, base, run, experiment))
    assert [epoch.epoch for epoch in of_type(Epoch, events)] == [2, 3]
    assert same(result.weights, whole.weights)
    done = experiment.find("1")
    assert (done.status, len(done.facts["epochs"])) == (DONE, 3)
    recalled = drain(recall(bench, base, experiment, done))
    assert recalled.net.early is not None
    assert same(recalled.net.early, whole.early)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"training": {"epochs": 4}}, "another version of its recipe"),
        ({"kind": "finetune", "layers": []}, "no plan for the layers"),
        ({"protocol": "reference"}, "open it with --protocol reference"),
    ],
)
def test_what_cannot_be_gone_on_with_says_why(
    bench: Workbench, base: Net, tmp_path: Path, facts: dict[str, object], said: str
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recording.train(bench, experiment), experiment)
    with pytest.raises(InputError, match=said):
        drain(recording.resume(bench, base, replace(run, facts={**run.facts, **facts}), experiment))


def test_a_disk_that_refuses_costs_a_warning_not_the_training(
    bench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    result, events = recorded(recording.finetune(bench, base, aggressive, Experiment(place)))
    warnings = [event.text for event in of_type(Notice, events) if event.warning]
    assert len(warnings) == 1
    assert "this run is not recorded" in warnings[0]
    assert (result.run, len(result.epochs)) == (None, 3)


def test_checkpoints_that_cannot_be_written_cost_a_warning_each(
    bench: Workbench,
    base: Net,
    aggressive: Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no space left")

    monkeypatch.setattr("core.experiments.run_writer.Recording.checkpoint", refuse)
    experiment = Experiment(tmp_path / "experiment")
    result, events = recorded(recording.finetune(bench, base, aggressive, experiment))
    warnings = [event.text for event in of_type(Notice, events) if event.warning]
    assert warnings == ["this epoch is not recorded: no space left"] * 3
    assert experiment.find(result.run or "").status == DONE


KILLED = """
import sys
from pathlib import Path
import pytest
from core.data.batches import Splits
from core.events import Epoch
from core.experiments.experiment import Experiment
from core.pruning.presets import preset_plan
from core.jobs import recording
from core.jobs.dense_net import open_dense_net
from core.jobs.workbench import Workbench
from tests.core.jobs.test_recording import settings, small

whole = Splits.of
Splits.of = lambda dataset, device: small(dataset, device, whole)
bench = Workbench(settings(Path(sys.argv[1])))
stream = open_dense_net(bench)
try:
    while True:
        next(stream)
except StopIteration as end:
    base = end.value
plan = preset_plan("aggressive", "cnn5", bench.layer_names)
for event in recording.finetune(bench, base, plan, Experiment(Path(sys.argv[2]))):
    if isinstance(event, Epoch):
        print(event.epoch, flush=True)
"""


def test_killed_in_its_third_epoch_it_comes_to_the_same_when_taken_up_again(
    kept: Kept, bench: Workbench, base: Net, data_dir: Path, tmp_path: Path
) -> None:
    """The first epoch's line comes before its checkpoint, the second's after that of the first."""
    folder = tmp_path / "killed"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(data_dir), str(folder)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert [child.stdout.readline().strip() for _ in range(2)] == ["1", "2"]
    child.send_signal(signal.SIGKILL)
    child.wait()
    experiment = Experiment(folder)
    run = experiment.newest()
    assert run.status == INTERRUPTED
    assert len(run.facts["epochs"]) in (1, 2)
    resumed = drain(recording.resume(bench, base, run, experiment))
    assert same(resumed.weights, kept.result.weights)
    assert experiment.newest().status == DONE
