"""A custom net on the command line: whose code runs, what is refused; a table of a paper's plan."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from torch.nn.utils import prune

from core.formats.weights_files import save_weights
from tests.core import peoples_nets
from tests.core.user_nets import write
from tests.support import typed_nets
from tests.terminal.command_line.test_command_line import featherweight
from tests.terminal.conftest import Command
from tui.cli.main import main

pytestmark = pytest.mark.slow


def test_no_file_runs_code_that_the_user_did_not_name(command: Command, tmp_path: Path):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\n")
    place, recipe = tmp_path / "it" / "0001", tmp_path / "recipe.toml"
    place.mkdir(parents=True)
    model = f"{tmp_path / 'evil.py'}:Net"
    (place / "run.json").write_text(json.dumps({"status": "running", "model": model}))
    recipe.write_text(f"model = {json.dumps(model)}\n")
    for arguments in (
        ("table", str(tmp_path / "it")),
        ("run", "--resume", f"{tmp_path / 'it'}:1"),
        ("run", "--config", str(recipe)),
        ("lightest", "--max-drop", "1", "--config", str(recipe)),
    ):
        process = command(*arguments)
        assert process.returncode == 2
        assert f"add --model {model}" in process.stderr
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Nett", "has no 'Nett'"),
        ("needy", "needs arguments (width)"),
        ("flat", "cannot take images [2, 1, 28, 28]"),
    ],
)
def test_a_wrong_model_is_one_clear_line(
    name: str, expected: str, data_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Run in this process: three processes would import torch three times."""
    options = ("--model", f"{write(tmp_path)}:{name}", "--uniform", "0.5")
    assert main(("run", *options, "--data-dir", str(data_dir))) == 2
    assert expected in capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("quantized", "quantized already: fc1 and 1 more"),
        ("Casting", "remove conversions to bfloat16 from its code"),
        ("computed", "1.weight and 1 more cannot be pruned: computed from other parameters"),
    ],
)
def test_a_net_that_cannot_be_pruned_is_one_line_that_names_it(
    name: str, expected: str, data_dir: Path, capfd: pytest.CaptureFixture[str]
):
    model = f"{typed_nets.__file__}:{name}"
    assert main(("run", "--model", model, "--uniform", "0.5", "--data-dir", str(data_dir))) == 2
    assert expected in capfd.readouterr().err.splitlines()[-1]


def test_the_table_of_a_checkpoint_with_masks_counts_them_and_names_what_is_left_out(
    data_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    held, target = typed_nets.Tokens(), tmp_path / "table.json"
    for name in ("attention.in_proj_weight", "rows.weight_hh_l0", "norm.weight", "head.bias"):
        prune.random_unstructured(*typed_nets.MASKABLE[name](held), amount=0.5)
    torch.save(held.state_dict(), tmp_path / "held.pt")
    options = ("--model", f"{typed_nets.__file__}:Tokens", "--weights", str(tmp_path / "held.pt"))
    target_options = ("--data-dir", str(data_dir), "--json", str(target))
    assert main(("table", *options, *target_options)) == 0
    table = {layer["name"]: layer for layer in json.loads(target.read_text())["layers"]}
    kept = {name: round(layer["kept"]) for name, layer in table.items()}
    assert kept.pop("attention.in_proj_weight") == kept.pop("rows.weight_hh_l0") == 50
    assert set(kept.values()) == {100}
    said = "warning: place cannot be pruned: defined by the net's own code, outside of any layer"
    assert said in capfd.readouterr().out.splitlines()


def test_paths_in_any_alphabet_are_taken_under_any_locale(tmp_path: Path):
    """A net, images, an experiment and a report, where the locale knows ASCII alone."""
    (tmp_path / "模型").mkdir()
    source = Path(peoples_nets.__file__).read_bytes()
    (tmp_path / "模型" / "é.py").write_bytes(source)
    weights = tmp_path / "重み.safetensors"
    save_weights(weights, peoples_nets.Plain().state_dict(), {})
    peoples_nets.tiny(tmp_path / "数据", 40)
    options = ("--model", "模型/é.py:Plain", "--dataset", "folder:数据", "--weights", weights.name)
    result = ("--experiment", "実験", "--json", "結果.json")
    environment = os.environ | {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    more = ("--uniform", "0.5", "--epochs", "1", "--precision", "fp32")
    process = featherweight("run", *options, *result, *more, cwd=tmp_path, env=environment)
    assert process.returncode == 0, process.stderr
    assert json.loads((tmp_path / "結果.json").read_text())["revived"] == 0
    assert (tmp_path / "実験" / "0001" / "run.json").exists()


def test_the_table_of_the_papers_plan_has_its_counts_and_dead_units(
    command: Command, data_dir: Path, tmp_path: Path
):
    target = tmp_path / "table.json"
    options = ("--model", "lenet-300-100", "--preset", "han2015", "--data-dir", str(data_dir))
    process = command("table", *options, "--json", str(target))
    assert process.returncode == 0, process.stderr
    table = json.loads(target.read_text())
    assert set(table) >= {"model", "layers", "total"}
    assert table["total"]["ratio"] == 12.02
    assert "22,186 of 266,610 parameters: 12.02x; LeNet-300-100 in Han et al. 2015: 12x" in (
        process.stdout
    )
    assert table["dead"] == {"fc1": 105, "fc2": 7, "fc3": 0}
    left = table["nonzero_without_dead"], table["parameters_without_dead"]
    assert left == (21_060, 172_243)
    assert "without 112 dead units: 21,060 nonzero of 172,243 parameters" in process.stdout
    process = command("table", "--model", "lenet-5", "--preset", "aggressive")
    assert process.returncode == 2
    assert all(name in process.stderr for name in ("'aggressive'", "lenet-5", "han2015"))
