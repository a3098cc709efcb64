"""What the history looks like, at every size.

After a change that is meant: `python -m pytest tests/tui/history/test_snapshots.py
--snapshot-update`, and look at the pictures before committing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.experiments.experiment import Experiment
from tests.tui.history.histories import Host, every_kind, press, ready, settled
from tests.tui.pictures import Pictures, running

SIZES = [(60, 20), (80, 24), (120, 36)]
PLACE = "~/.local/share/featherweight/experiments/cnn5-mnist"
TO_COMPARE = ("space", "end", "up", "up")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return every_kind(tmp_path_factory.mktemp("shared") / "cnn5-mnist")


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fix the home folder, the time zone and the date."""
    monkeypatch.setattr("tui.views.history.with_tilde", lambda _: PLACE)
    monkeypatch.setattr("tui.state.run_rows._local", lambda time: time)
    monkeypatch.setattr("tui.views.run_table._now", lambda: datetime(2026, 11, 22, 20, tzinfo=UTC))
    monkeypatch.setattr("tui.screens.history.panes.REDRAW_SECONDS", 0.05)


async def compare_at_every_size(app: Host, pictures: Pictures, *keys: str) -> None:
    """Press keys, and compare the screen with its picture at each size."""
    async with running(app, SIZES[0]) as pilot:
        await ready(pilot, *keys)
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            await settled(pilot)
            await pictures.compare(pilot, f"{columns}x{rows}")


async def test_runs_look_as_drawn(pictures, twelve):
    await compare_at_every_size(Host(twelve, current="0012"), pictures)


async def test_two_runs_look_as_drawn(pictures, twelve):
    await compare_at_every_size(Host(twelve, current="0012"), pictures, *TO_COMPARE)


async def test_every_pane_looks_as_drawn(pictures, twelve):
    async with running(Host(twelve, current="0012"), (80, 24)) as pilot:
        await ready(pilot, "end", "up", "n", "?")
        await pictures.compare(pilot, "note")
    async with running(Host(twelve, current="0012"), (80, 24)) as pilot:
        await ready(pilot, *TO_COMPARE)
        for pane in ("curves", "weights"):
            await press(pilot, "v")
            await pictures.compare(pilot, pane)


async def test_every_theme_looks_as_drawn(pictures, twelve):
    app = Host(twelve, current="0012")
    async with running(app, (120, 36)) as pilot:
        await ready(pilot, *TO_COMPARE)
        for theme in ("textual-light", "ansi-dark"):
            app.theme = theme
            await settled(pilot)
            await pictures.compare(pilot, theme)


def test_a_history_without_runs_looks_as_drawn(snap_compare):
    app = Host(Experiment(Path("/none/of/this/is/there/cnn5-mnist")))
    assert snap_compare(app, terminal_size=(80, 24), run_before=settled)
