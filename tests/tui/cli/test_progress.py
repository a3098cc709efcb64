"""The progress of a job: lines in a log, a bar and lines in a terminal."""

from __future__ import annotations

import signal
from io import StringIO

import pytest
from rich.console import Console

from core.events import Accuracy, Batch, Epoch, Event, Measured, Notice, Progress, Stream
from tui.cli.progress import drive

EVENTS: tuple[Event, ...] = (
    Progress("read images", 5, 10, "images"),
    Notice("an old cache", warning=True),
    Measured("pruned", Accuracy(11.24, 11.35)),
    Batch(1, 2, 500, 1_000, 0.25, 90.0, 1.0),
    Epoch(1, 0.25, 98.5, 2.0, 0.75, True, 0),
)
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"
LINES = [
    "warning: an old cache",
    "pruned: validation 11.24 %, test 11.35 %",
    "epoch 1: loss 0.2500, validation 98.50 %, 2.0 s, sparsity 75.00 %, revived 0",
]


def job() -> Stream[str]:
    yield from EVENTS
    return "the result"


def test_a_log_has_a_line_for_what_lasts_and_none_for_each_step() -> None:
    console = Console(file=StringIO(), width=100)
    assert drive(job(), console) == "the result"
    assert console.file.getvalue().splitlines() == LINES


def test_ctrl_z_gives_the_shell_its_cursor_and_fg_draws_the_bar_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = Console(file=StringIO(), width=100, force_terminal=True, color_system=None)
    stops = list[str]()
    monkeypatch.setattr(
        "tui.system.job_control.os.killpg", lambda *_: stops.append(console.file.getvalue())
    )

    def suspended() -> Stream[None]:
        yield Progress("read images", 5, 10, "images")
        signal.raise_signal(signal.SIGTSTP)
        yield Progress("read images", 6, 10, "images")

    before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        drive(suspended(), console)
        assert signal.getsignal(signal.SIGTSTP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTSTP, before)
    (shell,) = stops
    again = console.file.getvalue()[len(shell) :]
    assert shell.endswith(f"{SHOW}\r\x1b[1A\x1b[2K")
    assert HIDE in shell
    assert again.count(HIDE) == again.count(SHOW) == 1
    assert again.rindex(SHOW) > again.rindex(HIDE)
    assert "read images" in again


def test_a_terminal_has_the_same_lines_above_a_bar_that_goes_away() -> None:
    console = Console(file=StringIO(), width=100, force_terminal=True, color_system=None)
    assert drive(job(), console) == "the result"
    text = console.file.getvalue()
    for line in LINES:
        assert line in text
    assert text.endswith("\x1b[2K")
