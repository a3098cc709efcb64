"""The whole story by keyboard: the real program, the real net, real MNIST, 80x24."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.terminal.part_of_mnist import PROGRAM, write
from tests.terminal.terminal import FEATHERWEIGHT, Terminal

pytestmark = pytest.mark.slow

REPOSITORY = str(Path(__file__).parents[2])
BYTES_PER_SECOND = 6_000
BYTES_PER_KEY = 2_000
BYTES_PER_DIALOG = 3_300
BYTES_UNREAD = 40_000
"""At most what a terminal that reads nothing is sent: what the system keeps, and a frame."""

HELP = "Set sparsities"
"""The first heading of the help."""


@pytest.fixture
def short_training(data_dir: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A program with fewer images to train on, in as many steps."""
    options = ("--epochs", "1", "--batch-size", "24", "--data-dir", str(tmp_path))
    program = ("-c", PROGRAM, str(write(data_dir, tmp_path)), *options)
    with Terminal(*program, command=sys.executable, PYTHONPATH=REPOSITORY) as program:
        yield program


def test_choose_prune_finetune_adopt_stop_and_quit(short_training: Terminal):
    terminal = short_training
    terminal.wait_for("ready: dense net, 99.", "quit")
    terminal.wait_for_quiet(1.5)  # an idle program writes nothing
    terminal.screen.reset()  # another terminal attaches, of the same size
    terminal.resize(80, 24)
    terminal.wait_for("Featherweight", "conv1", "ready: dense net, 99.", "quit")
    terminal.resize(120, 36)
    terminal.wait_for("╭─ Layers")
    terminal.resize(80, 24)
    terminal.wait_for("── Layers", gone=("╭─ Layers",))
    terminal.wait_for_quiet(0.5)
    assert not any(line.endswith("│") for line in terminal.text.splitlines()), terminal.text

    terminal.press("m", "down", "enter")
    terminal.wait_for("6,183 of 228,010", "36.88x", "65.00", "98.00")
    terminal.press("down", "right")
    terminal.wait_for("96.00", "Weights · conv2")
    terminal.press("u")
    terminal.wait_for("95.00", "36.88x")
    terminal.wait_for_quiet(1.0)
    before = terminal.written
    terminal.press("down")
    terminal.wait_for_quiet(0.5)
    assert terminal.written - before <= BYTES_PER_KEY
    terminal.press("up")
    for key in "gc":
        terminal.wait_for_quiet(0.5)
        before = terminal.written
        terminal.press(key)
        terminal.wait_for("Enter apply")
        terminal.wait_for_quiet(0.5)
        assert terminal.written - before <= BYTES_PER_DIALOG
        terminal.press("escape")
        terminal.wait_for("Layers", gone=("Enter apply",))

    terminal.press("p")
    terminal.wait_for("pruned to 36.88x: 11.")

    terminal.press("f")
    terminal.wait_for("epoch 1 of 1", "images/s", "left", "loss")
    shown = terminal.text
    terminal.wait_until(lambda: terminal.text != shown, "live progress")
    before = terminal.written
    terminal.press("down")
    terminal.wait_for("▶ conv3")
    assert terminal.written > before
    assert terminal.read(5.0) / 5.0 <= BYTES_PER_SECOND
    text = terminal.wait_for("fine-tuned in", "revived 0", "test 11.", seconds=900)
    after = re.search(r"test 11\.\d\d → (\d\d\.\d\d) %", text)
    assert after is not None
    assert float(after[1]) > 97

    terminal.press("a")
    terminal.wait_for("base: fine-tuned", "floor")
    terminal.press("9", "9", "enter")
    terminal.wait_for("99.00")
    terminal.press("f")
    terminal.wait_for("fine-tuning", "loss")
    terminal.press("x")
    terminal.wait_for("No epoch has ended at the full plan")
    terminal.press("y")
    terminal.wait_for("stopped early", "the rest of the plan was pruned without training")

    terminal.press("f")
    terminal.wait_for("fine-tuning", "loss")
    before = terminal.written
    for _ in range(60):  # and nothing is read meanwhile
        terminal.press("up", "down")
        time.sleep(0.02)
    terminal.press(*["up"] * 9)
    terminal.wait_for("▶ conv1")
    assert terminal.written - before <= BYTES_UNREAD
    terminal.press("q")
    terminal.wait_for("Quit? Fine-tuning to")
    terminal.press("y")
    assert terminal.wait() == 0
    assert terminal.restored


def test_keys_work_while_it_loads(tmp_path: Path):
    """Loading waits while another process downloads into the same folder."""
    with FileLock(tmp_path / ".lock"), Terminal("--data-dir", str(tmp_path)) as terminal:
        terminal.wait_for("Featherweight", "loading")
        terminal.press("?")
        terminal.wait_for(HELP)
        terminal.press("escape")
        terminal.wait_for("loading", "waiting for another download", gone=(HELP,))
        terminal.press("x")
        terminal.wait_for("r to retry")
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.restored


def test_wrong_data_are_explained_on_the_terminal_with_stderr_in_a_file(tmp_path: Path):
    """`featherweight 2>log`: Textual would draw into the log."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"not images")
    log = tmp_path / "log"
    line = f"exec {FEATHERWEIGHT} --data-dir {tmp_path} 2>{log}"
    with Terminal("-c", line, command="/bin/sh") as terminal:
        terminal.wait_for("Featherweight", "has fewer bytes than", "delete it", "r to retry")
        terminal.press("?")
        terminal.wait_for(HELP)
        terminal.press("escape")
        terminal.wait_for("has fewer bytes than", gone=(HELP,))
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.restored
    assert log.read_bytes() == b""


def test_without_color_everything_can_be_read_and_no_key_of_a_burst_is_lost(data_dir: Path):
    options = ("--model", "lenet-5", "--data-dir", str(data_dir))
    with Terminal(*options, columns=60, rows=20, NO_COLOR="1") as terminal:
        terminal.wait_for("ready", "conv1", "fc2", "validation", "▶")
        colors = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
        assert all(map(_is_gray, colors))
        terminal.press("97.25\r")
        terminal.wait_for("97.25", "Weights · conv1")
        terminal.press("q")
        assert terminal.wait() == 0


def _is_gray(color: str) -> bool:
    """Whether a color is one of the terminal's grays, or has nearly equal parts."""
    if not re.fullmatch("[0-9a-f]{6}", color):
        return color in ("default", "black", "white", "brightblack", "brightwhite")
    parts = bytes.fromhex(color)
    return max(parts) - min(parts) <= 0x18
