"""The window around the program: its title comes and goes; the tour opens at the first start."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from tests.terminal.terminal import Terminal

SAVE, RESTORE, TITLE = b"\x1b[22;2t", b"\x1b[23;2t", b"\x1b]2;featherweight "


@pytest.mark.slow
def test_the_first_start_shows_the_tour_and_the_title_says_what_runs(tmp_path: Path):
    """Loading waits while another process downloads into the same folder."""
    data, tour = ("--data-dir", str(tmp_path)), {"FEATHERWEIGHT_TOUR": "true"}
    with FileLock(tmp_path / ".lock"), Terminal(*data, columns=60, rows=20, **tour) as terminal:
        terminal.wait_for("How light can a neural net be?", "Enter next")
        terminal.press("enter")
        terminal.wait_for("Set a sparsity")
        terminal.press("escape")
        terminal.wait_for("loading", gone=("Set a sparsity",))
        terminal.wait_until(lambda: TITLE in terminal.raw, "title")
        assert terminal.raw.count(SAVE) == 1
        before = len(terminal.raw)
        terminal.press("q")
        assert terminal.wait() == 0
        assert RESTORE in terminal.raw[before:]
        assert TITLE not in terminal.raw[terminal.raw.rfind(RESTORE) :]
        assert terminal.restored
