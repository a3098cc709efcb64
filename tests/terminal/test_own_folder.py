"""A custom net on a folder of images, in the app and on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.core.data.folders.drawn import fill, spotted
from tests.core.user_nets import write
from tests.terminal.conftest import Command
from tests.terminal.terminal import Terminal

pytestmark = pytest.mark.slow

LAYERS = [
    "stem", "blocks.0.depthwise", "blocks.0.grouped", "blocks.1.depthwise", "blocks.1.grouped",
    "mix", "head",
]  # fmt: skip


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return fill(tmp_path / "pets", 40, spotted, ("red", "green", "blue"))


@pytest.fixture
def options(pets: Path, tmp_path: Path) -> tuple[str, ...]:
    """A net with adds, grouped and depthwise convolutions, batch norm and tied weights."""
    net = ("--model", f"{write(tmp_path)}:coloured", "--dataset", f"folder:{pets}")
    training = ("--epochs", "8", "--lr", "0.02", "--precision", "fp32", "--threads", "1")
    return (*net, *training, "--experiment", str(tmp_path / "it"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_net_learns_a_folder_of_images_on_the_command_line(
    command: Command, options: tuple[str, ...], tmp_path: Path
):
    target = tmp_path / "run.json"
    arguments = ("run", *options, "--uniform", "0.6", "--json", str(target))
    process = command(*arguments)
    assert process.returncode == 0, process.stderr
    assert "has no test split: held out 9 of 120 images" in process.stdout
    assert "resized 60 images to 32x32" in process.stdout
    report = json.loads(target.read_text())
    assert [layer["name"] for layer in report["layers"]] == LAYERS
    for layer in report["layers"]:
        assert layer["kept"] == layer["elements"] - round(0.6 * layer["elements"])
    assert report["layers"][0]["elements"] == 3 * 5 * 5 * 12, "the stem takes color images"
    assert report["revived"] == 0
    assert report["accuracy"]["finetuned"]["test"] > 90 > report["accuracy"]["pruned"]["test"]
    assert f"running code from {tmp_path / 'mine.py'}:coloured" in process.stdout

    arguments = ("table", str(tmp_path / "it"), *options[:4], "--json", str(target))
    process = command(*arguments, "--images", "4")
    assert process.returncode == 0, process.stderr
    report = json.loads(target.read_text())
    assert report["images"] == 4 < report["of"]
    rows = {row["name"]: row for row in report["layers"]}
    low, high = rows["mix"]["interval"]
    assert low <= rows["mix"]["act"] <= high
    assert rows["mix"]["kept"] == pytest.approx(100 * 58 / 144)
    # A depthwise kernel of 9 weights at 49 positions of each of the stem's 12 maps.
    assert rows["blocks.0.depthwise"]["flops"] == 2 * 49 * 12 * 9
    assert "FLOP %" in process.stdout


def test_a_net_learns_a_folder_of_images_in_the_app(options: tuple[str, ...]):
    with Terminal(*options, columns=100) as terminal:
        terminal.wait_for("Train mine.coloured on pets now?", "blocks")
        terminal.press("enter")
        terminal.wait_for("ready: dense net", "mine.coloured on pets", "blocks.0.depth")
        terminal.press("6", "0", "enter")
        terminal.wait_for("60.00", "1,011 of 1,551")
        terminal.press("=")
        terminal.wait_for("687 of 1,551", "2.26x")
        terminal.press("down", "right")
        terminal.wait_for("61.00", "686 of 1,551")
        terminal.press("p")
        terminal.wait_for("pruned to 2.26x")
        terminal.press("f")
        text = terminal.wait_for("fine-tuned in", "revived 0")
        accuracy = re.search(r"test \d+ ±\d+ → (\d+) ±\d+ %", text)
        assert accuracy is not None
        assert float(accuracy[1]) > 90
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.restored
