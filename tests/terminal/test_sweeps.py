"""A sweep in a terminal: its keys stop a trial and leave it; it is found again and stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.experiments.experiment import Experiment
from core.sweep.live.folder import newest_sweep
from tests.terminal.terminal import Window

pytestmark = pytest.mark.slow


def test_keys_stop_a_trial_leave_the_sweep_and_stop_it_once_found_again(
    endless: tuple[str, ...], tmp_path: Path
):
    with Window("sweep", "--ratio", "2,3", *endless) as terminal:
        terminal.wait_for("/100000", "x stop trial 1")
        terminal.press("x")
        terminal.wait_for("trial 1 (2x lamp, seed 0): stopped", "/100000", "x stop trial 2")
        terminal.press("d")
        assert terminal.wait() == 0
        assert terminal.echoes
        assert terminal.shows_cursor
        assert "featherweight sweep --attach" in terminal.text
    sweep = newest_sweep(tmp_path / "it")
    assert sweep is not None
    assert sweep.is_running
    with Window("sweep", "--attach", str(tmp_path / "it"), cwd=str(tmp_path)) as terminal:
        terminal.wait_for("/100000", "x stop trial 2")
        terminal.press("\x03")
        assert terminal.wait() == 130
        assert terminal.echoes
        assert terminal.shows_cursor
        assert "2 trials left" in terminal.text
    assert not sweep.is_running
    assert {run.status for run in Experiment(tmp_path / "it").runs()} <= {"interrupted"}
