"""Every terminal: its colors and characters, and how it gets its screen back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from filelock import FileLock

from tests.terminal.terminal import Terminal

pytestmark = pytest.mark.slow

COLOR_256, COLOR_16 = (
    re.compile(rb"\x1b\[[\d;]*[34]8;5;"),
    re.compile(rb"\x1b\[(?:\d+;)*[39][0-7](?:;\d+)*m"),
)


@pytest.mark.parametrize(
    ("name", "of_256", "of_16", "in_ascii"),
    [
        ("xterm-256color", True, False, False),
        ("tmux-256color", True, False, False),
        ("linux", False, True, True),
        ("vt100", False, False, True),
    ],
)
def test_a_terminal_gets_what_it_can_show_and_is_restored(
    name: str, of_256: bool, of_16: bool, in_ascii: bool, tmp_path: Path
) -> None:
    """Loading waits while another process downloads into the same folder."""
    data, start = ("--data-dir", str(tmp_path)), {"TERM": name}
    with FileLock(tmp_path / ".lock"), Terminal(*data, **start) as terminal:
        terminal.wait_for("Featherweight", "loading", "quit")
        terminal.press("?")
        terminal.wait_for("Set sparsities")
        drawn = bytes(terminal.raw)
        terminal.press("q", "q")
        assert terminal.wait() == 0
        assert terminal.restored
        assert b"\x1b]2;" not in terminal.raw or name.endswith("256color")  # a window's title
    assert bool(COLOR_256.search(drawn)) == of_256
    assert bool(COLOR_16.search(drawn)) == of_16
    assert b"\x1b[38;2;" not in drawn
    assert drawn.isascii() == in_ascii


def test_a_terminal_that_cannot_move_its_cursor_is_refused_with_advice(tmp_path: Path) -> None:
    with Terminal("--data-dir", str(tmp_path), columns=200, TERM="dumb") as terminal:
        assert terminal.wait() == 2
        assert terminal.raw.isascii()
        assert b"\x1b" not in terminal.raw
        assert "TERM=dumb" in terminal.text
        assert "set TERM=xterm-256color" in terminal.text
