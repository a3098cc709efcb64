"""Image settings on the command line, and in records, recipe files and nets read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given

from core.data.inputs import Inputs
from core.errors import InputError
from core.experiments.experiment import Experiment
from core.experiments.run_record import read_record
from core.experiments.runs import DONE, Run
from core.settings.recipe_file import read_config, write_config
from core.settings.settings import Settings
from tests.core.experiments.recorded_runs import RECORD
from tests.core.settings.test_recipe_file import INPUTS
from tui.cli.main import _parser, main
from tui.cli.read_options import settings_for, settings_of
from tui.features.recipe_files import settings_with
from tui.state.run_rows import RunRow, differences


@given(inputs=INPUTS)
def test_flags_of_images_parse_to_the_same_settings(inputs: Inputs) -> None:
    assert settings_of(_parser().parse_args(["run", *inputs.flags.split()])).inputs == inputs


def run_of(folder: Path, said: dict[str, Any]) -> Run:
    record, _ = read_record(json.loads(json.dumps(said)), "run.json")
    return Run("0001", folder, DONE, record)


def test_a_run_is_opened_with_its_own_images_and_no_others(tmp_path: Path) -> None:
    inputs = Inputs(image_size=32, mean=(0.1, 0.2, 0.3))
    recorded = {"model": "cnn5", "dataset": "mnist", "protocol": "default"}
    run = run_of(tmp_path, {**recorded, "inputs": inputs.explicit_values()})
    old = run_of(tmp_path, {"model": "cnn5"})
    for flags in (["--threads", "2"], ["--image-size", "32", "--threads", "2"]):
        given = _parser().parse_args(["table", *flags])
        assert settings_for(given, run) == Settings(inputs=inputs, threads=2)
    others = ["--image-size", "32", "--std", "0.5"]
    with pytest.raises(InputError, match=r"0001 .* remove --std 0\.5"):
        settings_for(_parser().parse_args(["table", *others]), run)
    with pytest.raises(InputError, match=r"remove --image-size 32 --std 0\.5"):
        settings_for(_parser().parse_args(["table", *others]), old)
    with pytest.raises(InputError, match=r"remove --dataset fashion-mnist --std 0\.5"):
        settings_for(_parser().parse_args(["table", *others, "--dataset", "fashion-mnist"]), run)


@pytest.mark.parametrize(
    "command",
    [("export", "--to", "net.fw"), ("bench",), ("table",)],
    ids=lambda command: command[0],
)
def test_weights_beside_a_run_that_has_its_own_are_refused(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Experiment(tmp_path).begin(RECORD).finish({"x": torch.ones(1)}, RECORD)
    assert main([*command, f"{tmp_path}:{run.id}", "--weights", "mine.pt"]) == 2
    expected = f"run {run.id} has its own weights: remove --weights mine.pt"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(("command", "name"), [("bench", "mine.pt"), ("inspect", "mine.fw")])
def test_weights_beside_a_file_that_has_its_own_are_refused(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    file.touch()
    assert main([command, str(file), "--weights", "other.pt"]) == 2
    expected = f"{file} has its own weights: remove --weights other.pt"
    assert expected in capsys.readouterr().err


def test_a_dense_training_refuses_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--weights", "mine.pt"]) == 2
    assert "fresh weights: remove --weights mine.pt" in capsys.readouterr().err


def test_runs_on_other_images_are_in_another_group(tmp_path: Path) -> None:
    small, plain, odd = (
        RunRow.of(run_of(tmp_path, {"inputs": said}))
        for said in ({"image_size": 16}, {}, "nonsense")
    )
    assert len({small.group, plain.group, odd.group}) == 3
    assert differences(small, plain) == (("images", "--image-size 16", "–"),)


def test_a_recipe_file_for_other_images_is_refused(tmp_path: Path) -> None:
    path, here = tmp_path / "recipe.toml", Settings(inputs=Inputs(image_size=32))
    write_config(path, replace(here, seed=3), None)
    assert settings_with(read_config(path), here) == replace(here, seed=3)
    with pytest.raises(InputError, match="start featherweight with --image-size 32"):
        settings_with(read_config(path), Settings())
