"""The start: what the first screen loads before torch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.events import Progress
from tests.terminal.terminal import Terminal
from tui.views.activity import JobProgress, activity

HEAVY = {
    "torch", "torchvision", "numpy", "plotext", "PIL", "safetensors", "filelock", "rich.progress",
    "tui.screens.goal_dialog", "tui.screens.help.screen", "tui.screens.history.screen",
    "tui.screens.plot",
}  # fmt: skip

FIRST_SCREEN = """
import sys, tui.cli.main, tui.features.training
from pathlib import Path

def opened(training):
    Path(sys.argv[1]).write_text(" ".join(sys.modules))
    training.session.app.exit()

tui.features.training.Training.open = opened
tui.cli.main.main([])
"""


@pytest.mark.slow
def test_the_first_screen_needs_nothing_heavy(tmp_path: Path):
    """Everything before the job that opens the net; with room for all the plots."""
    modules = tmp_path / "modules"
    command = ("-c", FIRST_SCREEN, str(modules))
    with Terminal(*command, command=sys.executable, columns=160, rows=50) as terminal:
        assert terminal.wait() == 0
        drawn = terminal.raw.decode()
    loaded = set(modules.read_text().split())
    assert {"tui", "core", "textual"} <= loaded
    assert not loaded & HEAVY
    assert all(text in drawn for text in ("Featherweight", "the layers appear here", "loading"))


def test_progress_without_a_total_shows_what_is_done():
    step = Progress("loading torch", 312_000_000, unit="B")
    _, detail = activity(JobProgress("loading", since=0.0, step=step), 80, now=3.0)
    assert "".join(span.text for span in detail).strip() == "loading torch 312.0 MB"
