"""What files say is printed as it is: no markup, no escape sequence, no line of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.text import Text
from safetensors.torch import save_file
from torch import nn

from core.formats.codec import CompactFile, Entry, Raw, encode
from tests.core.data.folders.drawn import fill
from tests.tui.hostile import HOSTILE, SHOWN, assert_harmless
from tui.cli.console import console_for
from tui.cli.main import main
from tui.cli.number_table import NumberTable

NET = f"""
from torch import nn

HOSTILE = {HOSTILE!r}

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten())
        self.add_module(HOSTILE.replace(".", ""), nn.Linear(784, 12))
        self.add_module("relu", nn.ReLU())
        self.add_module("[/red]", nn.Linear(12, 10))

def Failing():
    raise LookupError(HOSTILE)
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    return f"{tmp_path / 'net.py'}:Net"


def said(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capfd.readouterr()
    assert_harmless(out)
    assert_harmless(err)
    return out, err


def test_every_command_prints_layers_of_any_name(
    net: str, data_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = nn.Sequential(nn.Flatten())
    own.add_module(HOSTILE, nn.Linear(784, 12))
    own.add_module("relu", nn.ReLU())
    own.add_module("[/red]", nn.Linear(12, 10))
    save_file(own.state_dict(), tmp_path / "dense.safetensors")
    place, file = tmp_path / "[b]\x1b[31m", tmp_path / "net.fw"
    data = ("--model", net, "--data-dir", str(data_dir), "--threads", "1", "--precision", "fp32")
    options = (*data, "--weights", str(tmp_path / "dense.safetensors"))
    pruned = (*options, "--uniform", "0.6", "--epochs", "1", "--experiment", str(place))
    for command in (
        ("run", *pruned, "--json", str(tmp_path / "\x1b[2Jrun.json")),
        ("table", *options, "--uniform", "0.6"),
        ("scan", *options, "--sparsities", "0.5", "--experiment", str(place)),
    ):
        assert main(command) == 0, said(capfd)
        out, err = said(capfd)
        assert err == ""
        assert SHOWN[:-3] in out
    assert main(("export", str(place), *data, "--to", str(file))) == 2  # a name has two lines
    assert f"'{SHOWN}.weight' cannot be stored" in said(capfd)[1]
    assert json.loads((tmp_path / "\x1b[2Jrun.json").read_text())["layers"][0]["name"] == HOSTILE


def test_messages_of_every_source_are_one_line(
    net: str, data_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    weights, recipe = tmp_path / "w.safetensors", tmp_path / "r.toml"
    save_file({HOSTILE: torch.ones(3)}, weights)
    recipe.write_text(f"{json.dumps(HOSTILE)} = 3\n", encoding="utf-8")
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "images" / "cat" / f"{HOSTILE[:30].replace('/', '')}.png").write_bytes(b"no image")
    record = tmp_path / "runs" / "0001"
    record.mkdir(parents=True)
    (record / "run.json").write_text(json.dumps({"kind": HOSTILE, "status": HOSTILE}))
    for arguments in (
        ("run", "--weights", str(weights), "--data-dir", str(data_dir)),
        ("run", "--config", str(recipe)),
        ("run", "--model", net.replace(":Net", ":Failing"), "--data-dir", str(data_dir)),
        ("run", "--model", f"{HOSTILE}.py:Net"),
        ("run", "--dataset", f"folder:{tmp_path / 'images'}"),
        ("run", "--dataset", f"folder:{HOSTILE}"),
        ("run", "--sparsity", f"{HOSTILE}=0.5"),
        ("run", "--resume", str(tmp_path / "runs")),
        ("run", "--experiment", f"{recipe}/{HOSTILE}"),
        ("run", "--json", f"{tmp_path}/{HOSTILE}"),
        ("table", HOSTILE),
        (HOSTILE,),
    ):
        assert main(arguments) in (1, 2), arguments
        out, err = said(capfd)
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("featherweight: ")


def test_a_compact_file_of_any_text_is_inspected(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its writer checks the name of its model, and whoever means harm has another."""
    monkeypatch.setattr("core.formats.codec.container.check_file", lambda _: None)
    name = HOSTILE.replace("\n", "")  # a name has one line
    entries = tuple(
        Entry(each, (2, 3), Raw("float32", np.ones((2, 3), np.uint32)))
        for each in (f"{name}.weight", "[/red]")
    )
    file, target = tmp_path / "net.fw", tmp_path / "net.json"
    file.write_bytes(encode(CompactFile("", entries, {HOSTILE: HOSTILE, "dataset": HOSTILE})))
    assert main(("inspect", str(file), "--json", str(target))) == 0
    out, err = said(capfd)
    assert err == ""
    assert SHOWN[:28] in out
    assert json.loads(target.read_text())["layers"][0]["name"].startswith(HOSTILE[:28])

    file.write_bytes(encode(CompactFile(name, entries, {"inputs": {HOSTILE: HOSTILE}})))
    for options in ((), ("--model", "cnn5")):
        main(("inspect", str(file), *options))
        out, err = said(capfd)
        assert out.count(SHOWN[:28]) + err.count(SHOWN[:28]) > 0


def test_folders_and_classes_of_any_name_are_one_line(
    net: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = HOSTILE.replace("/", "")
    root = fill(tmp_path / name, 12, classes=(f"a{name}", f"b{name}"))
    (root / f"a{name}" / "loop").symlink_to(root)
    (root / f"c{name}").mkdir()
    assert main(("table", "--model", net, "--dataset", f"folder:{root}")) == 2
    out, err = said(capfd)
    assert (out.count("\n"), err.count("\n")) == (1, 1)
    assert "a[red][bold]?]0;owned??[2J?31m?evila b /loop" in out
    assert "c[red][bold]?]0;owned??[2J?31m?evila b" in err


def test_cells_headings_and_lines_are_not_markup(capfd: pytest.CaptureFixture[str]) -> None:
    console, table = console_for(None), NumberTable(HOSTILE, HOSTILE)
    table.add_row(HOSTILE, HOSTILE)
    table.print_to(console)
    console.print(f"warning: {HOSTILE}")
    console.print(Text(HOSTILE[:28]))
    heading, row, line, text = said(capfd)[0].splitlines()
    assert heading.count(SHOWN[:-3]) == row.count(SHOWN[:-3]) == 2
    assert line == f"warning: {SHOWN}"
    assert text.startswith("[/red][bold]?]0;owned?")
