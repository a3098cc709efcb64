"""The window around the program: its title comes and goes; the tour opens at the first start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.terminal import Terminal

pytestmark = pytest.mark.slow

SAVE, RESTORE, TITLE = b"\x1b[22;2t", b"\x1b[23;2t", b"\x1b]2;featherweight "


def test_the_first_start_shows_the_tour_and_the_title_says_what_runs(data_dir: Path):
    with Terminal(
        "--data-dir", str(data_dir), columns=60, rows=20, FEATHERWEIGHT_TOUR="true"
    ) as terminal:
        terminal.wait_for("How light can a neural net be?", "Enter next")
        terminal.press("enter")
        terminal.wait_for("Set a sparsity")
        terminal.press("escape")
        terminal.wait_for("ready: dense net", gone=("Set a sparsity",))
        terminal.wait_until(lambda: b"]2;featherweight \xc2\xb7 cnn5" in terminal.raw, "title")
        assert terminal.raw.count(SAVE) == 1
        before = len(terminal.raw)
        terminal.press("q")
        assert terminal.wait() == 0
        assert RESTORE in terminal.raw[before:]
        assert TITLE not in terminal.raw[terminal.raw.rfind(RESTORE) :]
        assert terminal.restored


@pytest.mark.parametrize("term", ["linux", "vt100"])
def test_a_terminal_without_a_window_gets_no_title(term: str, data_dir: Path):
    with Terminal("--data-dir", str(data_dir), TERM=term) as terminal:
        terminal.wait_for("ready: dense net")
        terminal.press("q")
        assert terminal.wait() == 0
        assert b"\x1b]2;" not in terminal.raw
        assert RESTORE not in terminal.raw
