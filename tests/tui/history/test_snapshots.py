"""What the history looks like, at every size.

After a change that is meant: `python -m pytest tests/tui/history/test_snapshots.py
--snapshot-update`, and look at the report before committing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.experiments.experiment import Experiment
from tests.tui.history.histories import Host, every_kind, press, settled

SIZES = [(60, 20), (80, 24), (120, 36)]
PLACE = "~/.local/share/featherweight/experiments/cnn5-mnist"
TO_COMPARE = ("space", "end", "up", "up")

pytestmark = pytest.mark.slow

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


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


def pressing(*keys: str):
    async def pressed(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await press(pilot, *keys)

    return pressed


@sizes
def test_runs_look_as_drawn(snap_compare, twelve, size):
    app = Host(twelve, current="0012")
    assert snap_compare(app, terminal_size=size, run_before=pressing())


@sizes
def test_two_runs_look_as_drawn(snap_compare, twelve, size):
    app = Host(twelve, current="0012")
    assert snap_compare(app, terminal_size=size, run_before=pressing(*TO_COMPARE))


@pytest.mark.parametrize(
    "keys",
    [(*TO_COMPARE, "v"), (*TO_COMPARE, "v", "v"), ("end", "up", "n", "?")],
    ids=["curves", "weights", "note"],
)
def test_every_pane_looks_as_drawn(snap_compare, twelve, keys):
    app = Host(twelve, current="0012")
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressing(*keys))


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
def test_every_theme_looks_as_drawn(snap_compare, twelve, theme):
    app = Host(twelve, current="0012")
    app.theme = theme
    assert snap_compare(app, terminal_size=(120, 36), run_before=pressing(*TO_COMPARE))


def test_a_history_without_runs_looks_as_drawn(snap_compare):
    app = Host(Experiment(Path("/none/of/this/is/there/cnn5-mnist")))
    assert snap_compare(app, terminal_size=(80, 24), run_before=pressing())
