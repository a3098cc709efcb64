"""The command `sweep` from its words to its report, on a few digits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from core.experiments.experiment import Experiment
from core.sweep.live.folder import newest_sweep
from tests.core.sweep.own_net import Place
from tests.digits import in_place_of_mnist
from tui.cli.main import main


@pytest.mark.slow
def test_a_sweep_is_reported_recorded_and_not_repeated(
    digits_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sweep", "--uniform", "0.5,0.9", "--epochs", "0", "--seeds", "0,1", "--threads", "1"]
    words += ["--data-dir", str(digits_dir), "--experiment", str(tmp_path / "runs"), "--json", "-"]
    with in_place_of_mnist(digits_dir):
        assert main(words) == 0
        out, err = capsys.readouterr()
        assert "4 trials: 2 plans x 2 seeds; time unknown until the first trial is done" in err
        assert "4 trials run, 0 recorded before" in err
        report = json.loads(out)
        assert [(run["plan"], run["seed"], run["run"]) for run in report["runs"]] == [
            ("uniform 0.5", 0, "0001"),
            ("uniform 0.5", 1, "0002"),
            ("uniform 0.9", 0, "0003"),
            ("uniform 0.9", 1, "0004"),
        ]
        assert report["runs"][0]["accuracy"]["pruned"]["validation"] > 50
        assert report["unfinished"] == []
        assert main(words) == 0
    assert "0 trials run, 4 recorded before" in capsys.readouterr().err
    assert len(Experiment(tmp_path / "runs").runs()) == 4


@pytest.mark.slow
def test_a_sweep_runs_by_itself_and_is_found_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, experiment = Place.made(tmp_path), tmp_path / "runs"
    for name in ("own_width", "own"):
        sys.modules.pop(name, None)
    options = ["--model", place.model, "--weights", str(tmp_path / "dense.pt"), "--threads", "1"]
    options += ["--dataset", f"folder:{tmp_path / 'images'}", "--channels", "1", "--epochs", "1"]
    words = ["sweep", "--ratio", "4", "--seeds", "0,1", *options, "--experiment", str(experiment)]
    assert main([*words, "--detach"]) == 0
    assert f"featherweight sweep --attach {experiment}" in capsys.readouterr().out
    assert main(["sweep", "--attach", str(experiment), "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert "2 trials run, 0 recorded before" in err
    report = json.loads(out)
    assert [(run["seed"], run["run"]) for run in report["runs"]] == [(0, "0001"), (1, "0002")]
    assert report["runs"][0]["accuracy"]["finetuned"]["validation"] > 10
    sweep = newest_sweep(experiment)
    assert sweep is not None
    assert not sweep.is_running
    assert main([*words, "--detach", "--ratio", "1e9"]) == 2  # its own checks, in that process
    assert "1000000000x" in capsys.readouterr().err
    assert main(["sweep", "--attach", str(tmp_path / "none")]) == 2
    assert "no sweep in" in capsys.readouterr().err


def test_a_preview_opens_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text("ratio = [10, 20]\nseed = [0, 1]\n[finetune]\nlr = [1e-3, 2e-3]\n")
    words = ["sweep", "--config", str(file), "--seeds", "3,4", "--experiment", str(tmp_path / "e")]
    assert main([*words, "--preview"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "plan                seeds",
        "10x lamp, lr 0.001    3,4",
        "10x lamp, lr 0.002    3,4",
        "20x lamp, lr 0.001    3,4",
        "20x lamp, lr 0.002    3,4",
        "8 trials: 2 plans x 2 values of learning rate x 2 seeds; "
        "time unknown until the first trial is done",
    ]
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--allocate erk", "--allocate needs a goal"),
        ("--lock conv1=0.5", "--lock needs a goal"),
        ("--ratio 10,0", "--ratio 0: expected a number from 1"),
        ("--ratio 10,10", "--ratio 10,10: 10 is given twice"),
        ("--seeds 0,x", "expected a whole number"),
        ("--goal 95%", "expected 60x"),
        ("--uniform 1.5", "expected a number from 0 to 1"),
        ("--ratio 10 --cpus-per-trial 2", "--cpus-per-trial is for a cluster: add --on auto"),
        ("--ratio 10 --on 127.0.0.1:1", "no answer"),
        ("--ratio 10 --on auto --workers 2", "not allowed with argument"),
        ("--ratio 10 --epochs 2 --rounds 2 --method one-shot", "need the method iterative"),
    ],
)
def test_words_that_make_no_sense_are_refused(
    words: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *words.split(), "--experiment", str(tmp_path / "runs")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
