"""A pruned net exported from the app and read by the command line: real net, real MNIST."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.terminal.command_line.test_command_line import SMALL
from tests.terminal.conftest import Command
from tests.terminal.terminal import Terminal

pytestmark = pytest.mark.slow


def test_the_command_line_reads_what_the_app_exports(
    command: Command, data_dir: Path, tmp_path: Path
):
    path, options = tmp_path / "light.fw", (*SMALL, "--data-dir", str(data_dir), "--threads", "1")
    with Terminal(*options, "--experiment", str(tmp_path / "runs")) as terminal:
        terminal.wait_for("ready: dense net, 98.")
        terminal.press("m", "enter")
        terminal.wait_for("22,186 of 266,610", gone=("Enter apply",))
        terminal.press("e")
        terminal.wait_for("Export the pruned net", "lenet-300-100-12.02x.fw", "codebook", "fewest")
        terminal.press(str(path))
        terminal.wait_for("light.fw", "Enter write")
        terminal.press("enter")
        terminal.wait_for("exporting light.fw", "Files")
        shown = terminal.wait_for("light.fw: ", "smaller than dense", "compact, lossless")
        terminal.press("q")
        assert terminal.wait() == 0
    size = int(re.search(r"light\.fw: ([\d,]+) bytes", shown)[1].replace(",", ""))
    assert size == path.stat().st_size < 266_610 * 4 / 40
    process = command("inspect", str(path), "--json", "-", *options)
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert report["bytes"] == size
    assert f"{report['accuracy']['test']:.2f} %" in shown
