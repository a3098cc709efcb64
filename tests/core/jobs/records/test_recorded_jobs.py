"""Recorded trainings, restored; and a failing disk."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from core.errors import InputError
from core.events import Epoch, Event, Notice, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import BaseRecord
from core.experiments.runs import DONE, STOPPED
from core.jobs import recorded_jobs
from core.jobs.net import Net
from core.jobs.report import finetuning_record
from core.jobs.restore import restore
from core.jobs.workbench import Workbench
from core.pruning.masks import Masks
from core.pruning.plans import Plan
from tests.core.jobs.conftest import CHANGES, Kept, changed
from tests.core.training_loops import of_type, recorded, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


def test_a_run_holds_its_result(kept: Kept, base: Net) -> None:
    run, result = kept.run, kept.result
    assert (run.id, run.status) == ("0001", DONE)
    assert same(run.weights(), result.weights)
    record = run.checked()
    assert record.accuracy.finetuned == result.accuracy
    assert [row.epoch for row in record.epochs] == [1, 2, 3]
    assert {row.name: row.sparsity for row in record.layers} == kept.plan
    assert (record.nonzero, record.revived) == (6_183, 0)
    assert record.base == BaseRecord(None, base.digest, True)
    assert record.choices == CHANGES
    assert record.environment["torch"]
    assert not (run.folder / "checkpoint.safetensors").exists()


def test_recording_does_not_change_the_result(
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
    for accuracy in (restored.net.accuracy, restored.pruned):
        assert accuracy.images == kept.result.accuracy.images != (0, 0)
    assert restored.dead == kept.result.dead
    assert restored.settings.changes == CHANGES
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


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"model": "vgg16"}, "has the model 'vgg16', not 'cnn5': open it with --model vgg16"),
        ({"protocol": "reference"}, "open it with --protocol reference"),
        ({"inputs": {"image_size": 32}}, "open it with --image-size 32"),
        ({"inputs": {"side": 32}}, r"run.json: inputs\.side: unknown key, expected one of"),
        ({"choices": {"rounds": 0}}, r"run.json: choices: .*0"),
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


def test_a_stopped_run_has_the_status_stopped(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    experiment, events = Experiment(tmp_path), list[Event]()
    stream = recorded_jobs.finetune(
        workbench, base, aggressive, experiment, stop=lambda: bool(of_type(Epoch, events))
    )
    result = drain(stream, events.append)
    assert result.stopped
    assert experiment.newest().status == STOPPED


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


def test_a_disk_that_refuses_costs_a_warning_not_the_training(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    result, events = recorded(
        recorded_jobs.finetune(workbench, base, aggressive, Experiment(place))
    )
    refused = [event.text for event in of_type(Notice, events) if "recorded" in event.text]
    assert len(refused) == 1
    assert "this run will not be recorded" in refused[0]
    assert (result.run, len(result.epochs)) == (None, 3)
    assert not any(event.lost for event in of_type(Notice, events))
    asked_for = recorded_jobs.finetune(
        workbench, base, aggressive, Experiment(place, required=True)
    )
    with pytest.raises(InputError, match="cannot write"):
        drain(asked_for)


def test_a_result_that_cannot_be_recorded_is_lost_and_said(
    workbench: Workbench,
    base: Net,
    aggressive: Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no space left")

    monkeypatch.setattr("core.experiments.run_writer.RunWriter.finish", refuse)
    stream = recorded_jobs.finetune(
        workbench, base, aggressive, Experiment(tmp_path), stop=lambda: True
    )
    result, events = recorded(stream)
    assert result.run is None
    assert [event.text for event in of_type(Notice, events) if event.lost] == [
        "the run could not be recorded: no space left"
    ]


def test_a_plan_below_the_zeros_of_its_base_is_recorded_as_they_are(
    workbench: Workbench, base: Net, aggressive: Plan
) -> None:
    pruned = Masks.of(base.weights, workbench.layers, aggressive).apply(base.weights)
    net = workbench.net_of(pruned, base.accuracy)
    plan = {**dict.fromkeys(aggressive, 0.0), "conv1": 0.9}
    record = finetuning_record(workbench, net, plan, workbench.finetuning, "fp32")
    for layer, profile in zip(record.layers, net.profiles, strict=True):
        share = 0.9 if layer.name == "conv1" else profile.floor
        assert layer.sparsity == pytest.approx(share)
        assert layer.kept == round(layer.elements * (1 - share))
    stream = recorded_jobs.finetune(workbench, net, plan, Experiment(Path("/nowhere")))
    said = next(event.text for event in stream if isinstance(event, Notice))
    assert said == "the plan is below the base's zeros in conv2, conv3, fc1, fc2: these zeros stay"


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
    refused = [event.text for event in of_type(Notice, events) if "recorded" in event.text]
    assert refused == ["this epoch could not be recorded: no space left"] * 3
    assert experiment.find(result.run or "").status == DONE
