"""`kill`, a closed terminal and Ctrl+Z: the job ends well, and the terminal is as it was."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from core.experiments.experiment import Experiment
from core.experiments.runs import STOPPED
from tests.terminal.terminal import FEATHERWEIGHT, PATIENCE, Terminal, Window

pytestmark = pytest.mark.slow


def epoch(terminal: Terminal) -> int:
    """The epoch on the screen; 0 if there is none."""
    found = re.search(r"epoch (\d+) of", terminal.text)
    return int(found[1]) if found else 0


@contextmanager
def shell(**size: int) -> Iterator[Window]:
    """A shell that waits for a command."""
    options = ("--norc", "--noprofile", "-i")
    with Window(*options, command="/bin/bash", PS1="$ ", **size) as terminal:
        terminal.wait_for("$")
        yield terminal


def leave_and_return(terminal: Window) -> None:
    """Ctrl+Z out of the app, which releases the terminal, and `fg` back into it."""
    terminal.press("\x1a")
    terminal.wait_for("Stopped")
    assert terminal.released
    terminal.press("clear\r")
    terminal.wait_for("$", gone=("Featherweight",))
    terminal.press("fg\r")


def test_a_signal_closes_the_app_and_restores_the_terminal(tmp_path: Path):
    """Loading waits while another process downloads into the same folder."""
    with FileLock(tmp_path / ".lock"), Terminal("--data-dir", str(tmp_path)) as terminal:
        terminal.wait_for("Featherweight", "loading")
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.wait() == 129
        assert terminal.restored
        assert "featherweight: hung up" in terminal.text


def test_a_signal_lets_the_fine_tuning_of_the_app_keep_what_stopping_keeps(
    endless: tuple[str, ...], tmp_path: Path
):
    with Terminal(*endless) as terminal:
        terminal.wait_for("dense net", "% on test")
        terminal.press("5", "0", "enter", "f")
        terminal.wait_for("of 100000", "revived 0")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait() == 143
        assert terminal.restored
        assert "featherweight: terminated" in terminal.text
    assert Experiment(tmp_path / "it").newest().status == STOPPED


def test_a_closed_window_ends_the_app(tmp_path: Path):
    with FileLock(tmp_path / ".lock"), Window("--data-dir", str(tmp_path)) as terminal:
        terminal.wait_for("Featherweight", "loading")
        terminal.press("\x1a")
        terminal.wait_for("there is no shell to return to")
        terminal.close()
        assert terminal.process.wait(PATIENCE) == 129


def test_a_terminal_that_goes_without_a_signal_ends_the_app(tmp_path: Path):
    with FileLock(tmp_path / ".lock"), Terminal("--data-dir", str(tmp_path)) as terminal:
        terminal.wait_for("Featherweight", "loading")
        terminal.close()
        assert terminal.process.wait(PATIENCE) == 129


def test_a_signal_ends_a_command_and_gives_the_cursor_back(tmp_path: Path):
    fetch = ("data", "fetch", "mnist", "--data-dir", str(tmp_path))
    with FileLock(tmp_path / ".lock"), Terminal(*fetch) as terminal:
        terminal.wait_for("waiting for another download")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait() == 143
        assert terminal.shows_cursor
        assert "stopping (terminated; once more to quit at once)" in terminal.text
        assert "featherweight: download stopped" in terminal.text


def test_ctrl_z_in_a_training_stops_it_until_fg(endless: tuple[str, ...]):
    with shell(rows=30, columns=100) as terminal:
        terminal.press(f"{shlex.join((FEATHERWEIGHT, *endless))}\r")
        terminal.wait_for("dense net", "% on test")
        terminal.press("5", "0", "enter", "f")
        terminal.wait_for("of 100000", "revived 0")
        reached = epoch(terminal)
        leave_and_return(terminal)
        terminal.wait_until(lambda: epoch(terminal) > reached, "later epoch")
        terminal.press("x", "y")
        terminal.wait_for("stopped early")
        terminal.press("q")
        terminal.wait_until(lambda: terminal.released, "shell")
        terminal.wait_for("$")
        terminal.press("exit\r")
        assert terminal.wait() == 0


def test_ctrl_z_at_a_progress_bar_gives_the_shell_its_cursor(tmp_path: Path):
    fetch = ("data", "fetch", "mnist", "--data-dir", str(tmp_path))
    with FileLock(tmp_path / ".lock"), shell() as terminal:
        terminal.press(f"{shlex.join((FEATHERWEIGHT, *fetch))}\r")
        terminal.wait_for("waiting for another download")
        assert not terminal.shows_cursor
        terminal.press("\x1a")
        terminal.wait_for("Stopped")
        assert terminal.shows_cursor
        terminal.press("fg\r")
        terminal.wait_until(lambda: not terminal.shows_cursor, "bar")
        terminal.press("\x03")
        terminal.wait_for("featherweight: download stopped")
        assert terminal.shows_cursor
