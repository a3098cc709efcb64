"""Nets as people bring them, from the command line: they work, or one line says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.experiments.experiment import Experiment
from core.experiments.runs import STOPPED
from tests.core import peoples_nets
from tui.cli.main import main

pytestmark = [pytest.mark.usefixtures("one_thread", "few_epochs"), pytest.mark.slow]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """257 images: the last of two batches has one."""
    folder = peoples_nets.tiny(tmp_path_factory.mktemp("tiny"))
    return "--dataset", f"folder:{folder}", "--precision", "fp32", "--threads", "1"


def model(name: str) -> tuple[str, str]:
    return "--model", f"{peoples_nets.__file__}:{name}"


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        ("TrainReturnsNothing", ""),
        ("AuxiliaryLogits", "2 tensors in training (logits, aux): logits is used"),
        ("Several", "2 tensors in evaluation ([0], [1]): [1] is used"),
        ("SeveralInAClass", "2 tensors in training (hidden, logits): logits is used"),
        ("KeepsExtraState", "_extra_state in its state_dict: kept as the net has it"),
        ("Lazy", ""),
        ("NormOfOneImage", ""),
        ("KeepsActivation", ""),
    ],
)
def test_a_net_is_trained_pruned_and_fine_tuned(
    name: str,
    notice: str,
    options: Sequence[str],
    tmp_path: Path,
    empty_cache: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    experiment, target = tmp_path / "runs", tmp_path / "run.json"
    arguments = (*model(name), *options, "--uniform", "0.8", "--epochs", "1")
    status = main(("run", *arguments, "--experiment", str(experiment), "--json", str(target)))
    output = capfd.readouterr()
    assert status == 0, output.err
    assert output.out.count(notice) == 1 or not notice
    report = json.loads(target.read_text())
    assert report["revived"] == 0
    assert all(layer["kept"] == layer["elements"] - round(0.8 * layer["elements"])
               for layer in report["layers"])  # fmt: skip


def test_a_lazy_net_with_weights_is_scanned(
    options: Sequence[str], tmp_path: Path, empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    net, weights = peoples_nets.Lazy(), tmp_path / "net.pt"
    net(torch.zeros(2, 1, 16, 16))
    torch.save(net.state_dict(), weights)
    arguments = (*model("Lazy"), *options, "--weights", str(weights))
    assert main(("scan", *arguments, "--sparsities", "0.5")) == 0, capfd.readouterr().err


def test_a_net_that_fails_late_keeps_its_best_epoch_and_ends_with_status_1(
    options: Sequence[str], tmp_path: Path, empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    experiment, target, weights = (tmp_path / name for name in ("runs", "run.json", "net.pt"))
    torch.save(peoples_nets.Fails().state_dict(), weights)
    recipe = ("--uniform", "0.8", "--epochs", "6", "--batch-size", "32", "--weights", str(weights))
    more = ("--experiment", str(experiment), "--json", str(target))
    assert main(("run", *model("Fails"), *options, *recipe, *more)) == 1
    output = capfd.readouterr()
    assert output.err.splitlines()[-1].startswith(
        "featherweight: the net cannot take images [32, 1, 16, 16]: forward() in training raised "
        "RuntimeError: out of luck (peoples_nets.py line "
    )
    assert "test accuracy %" in output.out
    run = Experiment(experiment).newest()
    report = json.loads(target.read_text())
    assert (run.status, report["best"], report["stopped"]) == (STOPPED, 3, True)
    assert run.record.error == report["error"]
    assert run.record.error is not None
    assert "out of luck" in run.record.error


def test_a_descent_keeps_the_trial_of_a_net_that_fails_late(
    options: Sequence[str], tmp_path: Path, empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    experiment, target, weights = (tmp_path / name for name in ("runs", "found.json", "net.pt"))
    torch.save(peoples_nets.Fails().state_dict(), weights)
    recipe = ("--epochs", "6", "--batch-size", "32", "--weights", str(weights))
    more = ("--max-drop", "100", "--experiment", str(experiment), "--json", str(target))
    assert main(("lightest", *model("Fails"), *options, *recipe, *more)) == 1
    output = capfd.readouterr()
    assert "out of luck (peoples_nets.py line " in output.err.splitlines()[-1]
    assert "lightest net with at least" in output.out
    report = json.loads(target.read_text())
    assert report["best"] == report["trials"][0]
    assert (len(report["trials"]), report["best"]["best"], report["best"]["good"]) == (1, 3, True)
    assert "out of luck" in report["error"]


def test_a_dense_training_that_fails_late_writes_its_best_epoch(
    options: Sequence[str], tmp_path: Path, empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "net.safetensors"
    recipe = ("--epochs", "6", "--batch-size", "32", "--experiment", str(tmp_path / "runs"))
    assert main(("train", *model("Fails"), *options, *recipe, "--to", str(target))) == 1
    output = capfd.readouterr()
    assert "out of luck (peoples_nets.py line " in output.err.splitlines()[-1]
    assert f"best epoch 3, stopped early; weights in {target}" in output.out
    assert set(load_file(target)) == set(peoples_nets.Fails().state_dict())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("AllFrozen", "nothing in AllFrozen can be trained"),
        ("FailsAtOnce", "forward() in training raised RuntimeError: out of luck (peoples_nets.py"),
        ("StopsTraining", "forward() in training raised OwnStop: enough (peoples_nets.py line "),
        ("Detached", "the logits have no gradient: forward() (peoples_nets.py line "),
        ("Grows", "adds extra.weight and 1 more: create it in __init__"),
        ("GrowsInTraining", "adds extra.weight and 1 more: create it in __init__"),
        ("Remembers", "changes the shape of last, which then cannot be loaded"),
        ("CannotBeListed", "parameters() raised ValueError: no parameters today (peoples_nets.py"),
        ("CannotBeMoved", "to() raised ValueError: no moving today (peoples_nets.py line "),
        ("CannotBeStored", "state_dict() raised OwnStop: no state today (peoples_nets.py line "),
        ("CannotBeLoaded", "load_state_dict() raised ValueError: no loading today (peoples_nets"),
        ("scripted", "the net is a TorchScript program"),
        ("exported", "the net is an exported program"),
        ("on_meta", "conv.weight and 10 more of Plain have no values"),
        ("ExitsWhenBuilt", "ExitsWhenBuilt raised SystemExit: 3 (peoples_nets.py line "),
    ],
)
def test_a_net_that_cannot_be_trained_is_refused_before_any_work(
    name: str,
    message: str,
    options: Sequence[str],
    tmp_path: Path,
    empty_cache: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    experiment = tmp_path / "runs"
    for command in (("run", "--uniform", "0.8"), ("lightest", "--max-drop", "5")):
        arguments = (*model(name), *options, "--experiment", str(experiment))
        assert main((*command, *arguments)) == 2
        output = capfd.readouterr()
        assert message in output.err.splitlines()[-1]
        assert "epoch 1:" not in output.out
    assert not list(tmp_path.glob("runs/*"))


def test_a_frozen_net_can_be_measured(
    options: Sequence[str], tmp_path: Path, empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "net.pt"
    torch.save(peoples_nets.AllFrozen().state_dict(), weights)
    arguments = (*model("AllFrozen"), *options, "--weights", str(weights), "--uniform", "0.8")
    assert main(("table", *arguments)) == 0, capfd.readouterr().err


def test_a_net_with_a_layer_that_no_file_holds_is_not_listed_without_it(
    options: Sequence[str], tmp_path: Path, empty_cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "net.pt"
    torch.save(peoples_nets.Plain().state_dict(), weights)
    arguments = (*model("Grows"), *options, "--weights", str(weights))
    for command in (("table",), ("scan", "--sparsities", "0.5")):
        assert main((*command, *arguments)) == 2
        assert "adds extra.weight and 1 more" in capfd.readouterr().err.splitlines()[-1]


def test_what_images_change_of_a_recipe_is_said_where_it_trains_and_not_of_the_users_choices(
    options: Sequence[str],
    tmp_path: Path,
    empty_cache: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.training.recipes.TRAINING_STEPS", 8 * 17)
    weights = tmp_path / "net.pt"
    torch.save(peoples_nets.Plain().state_dict(), weights)
    given = (*model("Plain"), *options)
    assert main(("table", *given, "--weights", str(weights))) == 0
    assert "to fit" not in capfd.readouterr().out
    runs = ("--uniform", "0.5", "--experiment", str(tmp_path / "runs"))
    assert main(("run", *given, *runs, "--epochs", "1")) == 0
    said = capfd.readouterr().out
    fitted = [line for line in said.splitlines() if "to fit" in line]
    assert fitted == [
        "training takes 8 epochs in batches of 16 images, to fit 257 training images; see "
        "--epochs and --batch-size of featherweight train",
        "fine-tuning takes batches of 16 images, to fit 257 training images; see --batch-size",
    ]
    assert said.count("dense: validation") == 1
    more = ("--weights", str(weights), "--epochs", "1", "--batch-size", "64")
    assert main(("run", *given, *runs, *more)) == 0
    assert "to fit" not in capfd.readouterr().out
