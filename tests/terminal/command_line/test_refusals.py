"""Bad input is one clear line and status 2, before anything is fetched, timed or printed."""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from core.formats.codec import CompactFile, encode
from core.nets.zoo import model_spec
from tui.cli.commands import app, demo
from tui.cli.main import main

ALL_LOCKED = "conv1=0.5,conv2=0.5,conv3=0.5,fc1=0.5,fc2=0.5"

FOLDERS = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")

NETS = """
from torch import nn

class Bare(nn.Sequential):
    pass

def Wide():
    return nn.Sequential(nn.Flatten(), nn.Linear(3, 10))

def Narrow():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 9))
"""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder in which nothing has been downloaded, timed or recorded yet."""
    home = tmp_path / "home"
    home.mkdir()
    for name in FOLDERS:
        monkeypatch.setenv(name, str(home))
    monkeypatch.setattr("core.experiments.experiment.default_root", lambda: home / "experiments")
    return home


@pytest.fixture
def names(tmp_path: Path) -> dict[str, str]:
    """Files to name on the command line: text, code, damaged and valid ones, an unreadable run."""
    files = {"text": b"no weights\n", "damaged.fw": b"\xf7FW no net", "net.py": NETS.encode()}
    files |= {"compact.fw": encode(CompactFile("cnn5", {}, ())), "hollow.pt": b""}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "runs" / "0001").mkdir(parents=True)
    (tmp_path / "runs" / "0001" / "run.json").write_text("{")
    files |= {"pipe": b"", "runs": b""}
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    files["whole.pt"] = b""
    paths = {name.partition(".")[0]: str(tmp_path / name) for name in files}
    return {**paths, "tmp": str(tmp_path), "lenet": str(model_spec("lenet-5").shipped_weights)}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run", "--sparsity", "conv9=0.5"), ("conv9", "conv1, conv2, conv3, fc1, fc2")),
        (("run", "--sparsity", "conv1=.5,con.*=.5"), ("no layer matches 'con.*'", "conv1, conv2")),
        (("run", "--sparsity", "conv1=1.2"), ("1.2", "conv1", "from 0 to 1")),
        (("run", "--sparsity", "conv1=nan"), ("nan", "conv1", "from 0 to 1")),
        (("run", "--sparsity", "conv1=abc"), ("abc", "conv1", "from 0 to 1")),
        (("run", "--sparsity", "conv1"), ("conv1", "LAYER=FRACTION")),
        (("run", "--sparsity", "conv1=.5,conv1=.6"), ("conv1", "twice")),
        (("run", "--uniform", "-0.5"), ("-0.5",)),
        (("run", "--preset", "feather"), ("feather", "moderate, aggressive, uniform")),
        (("run", "--preset", "moderate", "--uniform", "0.5"), ("not allowed",)),
        (("run", "--recipe", "slow"), ("slow", "fast, reference")),
        (("run", "--protocol", "mine"), ("mine", "default, reference")),
        (("run", "--precision", "int8"), ("int8", "auto, fp32, bf16")),
        (("run", "--epochs", "-1"), ("--epochs -1", "from 0")),
        (("run", "--epochs", "many"), ("many",)),
        (("run", "--threads", "0"), ("--threads 0", "from 1 to")),
        (("run", "--seed", "-1"), ("-1",)),
        (("run", "--model", "cnn6"), ("cnn6", "cnn5")),
        (("run", "--dataset", "letters"), ("letters", "mnist")),
        (("run", "--weights", "/nowhere.safetensors"), ("/nowhere.safetensors",)),
        (("run", "--json", "/nowhere/run.json"), ("/nowhere", "does not exist")),
        (("train", "--to", "/nowhere/net.safetensors"), ("/nowhere", "does not exist")),
        (("data", "fetch", "letters"), ("letters", "mnist")),
        (("prune",), ("prune", "run", "train")),
        (("bench",), ("RUN|FILE",)),
        (("bench", "nowhere"), ("nowhere", "FOLDER:RUN-ID")),
        (("bench", "/nowhere.safetensors"), ("/nowhere.safetensors", "no such file")),
        (("bench", __file__, "--seconds", "0"), ("--seconds 0", "above 0")),
        (("bench", __file__, "--json", "/nowhere/bench.json"), ("/nowhere", "does not exist")),
        (("run", "--json", "n" * 300 + "/run.json"), ("does not exist",)),
        (("data", "fetch", "mnist", "--data-dir", "n" * 300), ("cannot be used",)),
        (("run", "--threads", "99999999999"), ("from 1 to",)),
        (("run", "--pre", "aggressive"), ("--pre",)),
        (("--model", "cnn6"), ("cnn6", "cnn5")),
        (("run", "--device", "tpu"), ("tpu", "auto, cpu, cuda, mps")),
        (("scan", "--split", "train"), ("train", "validation, test")),
        (("scan", "--sparsities", "0.5,2"), ("2.0", "from 0 to 1")),
        (("scan", "--sparsities", "0.1:0.9"), ("0.1:0.9", "FROM:TO:STEP")),
        (("scan", "--within", "0"), ("--within 0", "above 0")),
        (("scan", "--recipe", "fast"), ("--recipe",)),
        (("scan", "--json", "/nowhere/scan.json"), ("/nowhere", "does not exist")),
        (("run", "--ratio", "light"), ("'light'", "60x")),
        (("run", "--ratio", "0.5"), ("0.5", "at least 1")),
        (("run", "--ratio", "6 kept"), ("--ratio 6 kept", "--goal")),
        (("run", "--goal", "60 %"), ("60 %", "28 KiB")),
        (("run", "--ratio", "60", "--uniform", "0.5"), ("not allowed",)),
        (("run", "--ratio", "60", "--allocate", "best"), ("best", "lamp", "sensitivity")),
        (("run", "--ratio", "60", "--lock", "conv9=0.5"), ("conv9", "conv1, conv2")),
        (("run", "--allocate", "lamp"), ("--allocate", "--ratio 60")),
        (("run", "--lock", "conv1=0.5"), ("--lock", "--ratio 60")),
        (("run", "--method", "slowly"), ("slowly", "one-shot, gradual, iterative")),
        (("run", "--rounds", "3", "--method", "gradual"), ("3 rounds", "iterative")),
        (("run", "--rewind"), ("rewinding", "one-shot or iterative")),
        (("run", "--lr", "0"), ("--lr 0", "above 0")),
        (("run", "--l1", "-1"), ("--l1 -1", "from 0 to 1")),
        (("run", "--config", "/nowhere.toml"), ("/nowhere.toml", "no such file")),
        (("run", "--resume", "/nowhere"), ("/nowhere",)),
        (("run", "--resume", "cnn5-mnist:999999"), ("cnn5-mnist", "FOLDER:RUN-ID")),
        (("run", "--image-size", "0"), ("--image-size 0", "from 1 to 4,096")),
        (("run", "--image-size", "32x32"), ("--image-size", "32x32")),
        (("run", "--channels", "2"), ("--channels 2", "one of 1, 3")),
        (("run", "--mean", "0.5,x"), ("--mean 0.5,x", "one for each channel")),
        (("run", "--std", "0"), ("std 0", "above 0")),
        (("run", "--mean", "124,116,104"), ("mean 124,116,104", "by 255")),
        (("run", "--cache-budget", "20"), ("--cache-budget 20", "20GiB")),
        (("run", "--dataset", "folder:/nowhere"), ("/nowhere", "folder")),
        (("lightest",), ("--max-drop",)),
        (("lightest", "--max-drop", "-1"), ("--max-drop -1", "from 0 to 100")),
        (("lightest", "--max-drop", "nan"), ("--max-drop nan", "from 0 to 100")),
        (("scan", "--allocate", "lamp"), ("--allocate",)),
        (("run", "--weights", "{tmp}"), ("it is a folder",)),
        (("run", "--weights", "{text}"), ("{text} is an unknown kind of file",)),
        (("run", "--weights", "{hollow}"), ("{hollow}", "it is empty")),
        (("run", "--weights", "{pipe}"), ("{pipe}", "it is a pipe")),
        (("run", "--weights", "{whole}"), ("a whole pickled model", "net.state_dict()")),
        (("table", "{runs}"), ("0001", "unreadable: run.json is not JSON", "delete the run")),
        (("export", "{runs}:1", "--to", "{tmp}/net.fw"), ("0001", "unreadable", "delete the run")),
        (("bench", "{runs}"), ("0001", "unreadable", "delete the run")),
        (("bench", "{pipe}"), ("{pipe}", "it is a pipe")),
        (("run", "--resume", "{runs}"), ("0001", "unreadable", "delete the run")),
        (("inspect", "{runs}"), ("{runs}", "it is a folder")),
        (("inspect", "{lenet}"), ("is a safetensors file, not a compact file",)),
        (("run", "--weights", "{lenet}"), ("does not fit Cnn5",)),
        (("run", "--experiment", "{text}"), ("{text} is a file",)),
        (("run", "--experiment", "{text}/mine"), ("{text} is a file",)),
        (("run", "--data-dir", "{text}"), ("{text} is a file",)),
        (("run", "--json", "{tmp}"), ("it is a folder",)),
        (("run", "--json", "{tmp}/" + "n" * 300), ("cannot be used",)),
        (("run", "--config", "{text}"), ("{text}", "line 1")),
        (("run", "--dataset", "folder:{text}"), ("is a file, expected a folder",)),
        (("run", "--dataset", "folder:{tmp}/empty"), ("{tmp}/empty",)),
        (("run", "--mean", "0.1,0.2,0.3"), ("3 numbers for images with 1 channel",)),
        (("run", "--ratio", "100000"), ("never pruned",)),
        (("run", "--goal", "300000 kept"), ("only 228,010 left",)),
        (("run", "--ratio", "60", "--lock", "fc1=0"), ("147,456 are in locked layers",)),
        (("run", "--model", "{tmp}/none.py:Net"), ("{tmp}/none.py",)),
        (("run", "--model", "{net}:Nothing"), ("has no 'Nothing'",)),
        (("run", "--model", "{net}:Nothing", "--weights", "{lenet}"), ("has no 'Nothing'",)),
        (("run", "--model", "{net}:Bare"), ("Bare", "prunable")),
        (("run", "--model", "{net}:Wide"), ("cannot take images [2, 1, 28, 28]",)),
        (("run", "--model", "{net}:Narrow"), ("[2, 9]", "[2, 10]", "10 classes")),
        (("run", "--model", "{net}:Bar"), ("has no 'Bar'", "did you mean Bare?")),
        (("run", "--model", "{net}:Wide", "--model-args", "x"), ("'x'", "NAME=VALUE")),
        (("run", "--model", "{net}:Wide", "--model-args", "x=1"), ("no argument 'x'", "none")),
        (("run", "--model", "timm:create_model"), ("timm", "pip install 'featherweight[models]'")),
        (("run", "--model-args", "x=1"), ("cnn5", "remove --model-args x=1")),
        (("run", "--model", "alexnet", "--fresh-head"), ("torchvision.models:alexnet",)),
        (("lightest", "--max-drop", "1", "--minutes", "0"), ("--minutes 0", "above 0")),
        (("lightest", "--max-drop", "1", "--to", "net.pt"), ("--to net.pt", ".fw", "export")),
        (("lightest", "--max-drop", "1", "--seeds", "0", "--seed", "1"), ("not both",)),
        (("lightest", "--max-drop", "1", "--start", "1"), ("--start 1", "above 1")),
        (("lightest", "--max-drop", "1", "--start", "nan"), ("--start nan", "above 1")),
        (("lightest", "--max-drop", "1", "--allocate", "best"), ("best", "lamp", "sensitivity")),
        (("lightest", "--max-drop", "1", "--lock", ALL_LOCKED), ("every layer is locked",)),
        (("lightest", "--max-drop", "1", "--weights", "{lenet}"), ("does not fit Cnn5",)),
        (("lightest", "--max-drop", "1", "--config", "/nowhere.toml"), ("no such file",)),
        (("lightest", "--max-drop", "1", "--experiment", "{text}"), ("{text} is a file",)),
        (("lightest", "--max-drop", "1", "--json", "{tmp}"), ("it is a folder",)),
        (("scan", "--weights", "{lenet}"), ("does not fit Cnn5",)),
        (("scan", "--experiment", "{text}/mine"), ("{text} is a file",)),
        (("scan", "--data-dir", "{text}"), ("{text} is a file",)),
        (("table", "nowhere"), ("nowhere", "FOLDER:RUN-ID")),
        (("table", "--split", "train"), ("train", "validation, test")),
        (("table", "--preset", "feather"), ("feather", "aggressive")),
        (("table", "--ratio", "100000"), ("never pruned",)),
        (("table", "--goal", "25 %"), ("25 %", "25 % macs")),
        (("run", "--goal", "100 macs", "--lock", "conv1=0"), ("460,800 are in locked layers",)),
        (("run", "--goal", "0.2 ms", "--lock", ALL_LOCKED), ("every layer is locked",)),
        (("table", "--weights", "{lenet}"), ("does not fit Cnn5",)),
        (("table", "--json", "/nowhere/table.json"), ("/nowhere", "does not exist")),
        (("train", "--to", "{tmp}"), ("it is a folder",)),
        (("train", "--to", "{tmp}/net.pt"), ("net.safetensors",)),
        (("train", "--to", "{tmp}/net.fw"), ("net.safetensors",)),
        (("train", "--weights", "{lenet}"), ("fresh weights",)),
        (("train", "--data-dir", "{text}"), ("{text} is a file",)),
        (("train", "--experiment", "{text}"), ("{text} is a file",)),
        (("export", "--to", "/nowhere/net.fw"), ("/nowhere", "does not exist")),
        (("export", "--to", "{tmp}/net.zip"), (".fw, .safetensors",)),
        (("export", "--to", "{tmp}/net.fw", "--levels", "1"), ("--levels 1", "from 2 to 256")),
        (("export", "--to", "{tmp}/net.fw", "--values", "int3"), ("int3", "codebook")),
        (("export", "--to", "{tmp}/net.pt", "--levels", "8"), ("net.pt", ".fw")),
        (("export", "--to", "{tmp}/net.fw", "--max-drop", "-1"), ("0 to 100",)),
        (("export", "--to", "{tmp}/net.fw", "--weights", "{lenet}"), ("does not fit Cnn5",)),
        (("export", "nowhere", "--to", "{tmp}/net.fw"), ("nowhere", "FOLDER:RUN-ID")),
        (("inspect", "/nowhere.fw"), ("/nowhere.fw",)),
        (("inspect", "{text}"), ("not a compact file",)),
        (("inspect", "{damaged}"), ("cannot read {damaged}",)),
        (("inspect", "{compact}", "--json", "/nowhere/net.json"), ("does not exist",)),
        (("inspect", "{compact}", "--model", "lenet-5"), ("cnn5", "lenet-5", "--model")),
        (("inspect", "{compact}", "--dataset", "folder:/nowhere"), ("folder:/nowhere",)),
        (("bench", "{damaged}", "--model", "cnn5"), ("cannot read {damaged}",)),
        (("bench", "{lenet}"), ("does not fit Cnn5",)),
        (("data", "fetch", "mnist", "--data-dir", "{text}"), ("{text} is a file",)),
        (("--theme", "paper"), ("paper", "textual-dark")),
        (("--weights", "{lenet}"), ("does not fit Cnn5",)),
    ],
    ids=lambda texts: " ".join(texts)[:80],
)
def test_bad_input_is_refused_before_anything_else_happens(
    arguments: tuple[str, ...],
    expected: tuple[str, ...],
    empty: Path,
    names: dict[str, str],
    capfd: pytest.CaptureFixture[str],
):
    """Run in this process: a hundred processes would import torch a hundred times."""
    assert main([argument.format(**names) for argument in arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    for text in expected:
        assert text.format(**names) in err
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    "command", [("table",), ("export", "--to", "{tmp}/net.fw"), ("bench",)], ids=lambda c: c[0]
)
def test_a_run_whose_weights_changed_on_disk_is_refused_before_anything_else_happens(
    command: tuple[str, ...],
    empty: Path,
    names: dict[str, str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
):
    weights = load_file(model_spec("cnn5").shipped_weights)
    record = RunRecord(model="cnn5", dataset="mnist", protocol="default", recipe="fast")
    run = Experiment(tmp_path / "changed").begin(record).finish(weights, record)
    run.weights_path.write_bytes(run.weights_path.read_bytes()[:-1] + b"\x07")
    arguments = [argument.format(**names) for argument in command]
    assert main([arguments[0], str(tmp_path / "changed"), *arguments[1:]]) == 2
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "its values are not those that were written; restore the file from a backup" in err
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("option", ["--weights", "--data-dir", "--experiment"])
def test_the_program_does_not_open_on_a_path_that_cannot_be_used(
    option: str,
    empty: Path,
    names: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(app, "has_terminal", lambda: True)
    assert main([option, f"{names['text']}/below"]) == 2
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert names["text"] in err
    assert list(empty.iterdir()) == []


def test_the_demo_has_its_own_net_and_experiment(capsys: pytest.CaptureFixture[str]):
    assert main(["--model", "lenet-5", "--lr", "0.1", "--experiment", "mine", "demo"]) == 2
    assert "remove --model lenet-5 --lr 0.1 --experiment" in capsys.readouterr().err


def test_the_demo_needs_a_terminal(capsys: pytest.CaptureFixture[str]):
    assert main(["demo"]) == 2
    assert "the demo needs a terminal" in capsys.readouterr().err


def test_the_demo_without_room_for_its_folder_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(**_: str) -> str:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(demo, "has_terminal", lambda: True)
    monkeypatch.setattr(demo.tempfile, "mkdtemp", full)
    assert main(["demo"]) == 2
    assert "No space left on device; TMPDIR names another" in capsys.readouterr().err
