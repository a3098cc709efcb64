"""Screens that are the same in every run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import settled, until
from tests.tui.pictures import Pictures
from tui.app import FeatherweightApp
from tui.text.lines import width_of
from tui.widgets.plot import PlotPanel


def plots_are_drawn(app: FeatherweightApp) -> bool:
    """Whether every plot on the main screen shows something at its size."""
    panels = [panel for panel in app.main_screen.query(PlotPanel) if panel.display]
    return all(panel.lines and width_of(panel.lines[0]) == panel.size.width for panel in panels)


async def compare_at(
    pilot: Pilot[None], sizes: Sequence[tuple[int, int]], pictures: Pictures, name: str = "{}"
) -> None:
    """Compare the screen with its picture at each size; `{}` in the name is the size."""
    for columns, rows in sizes:
        await pilot.resize_terminal(columns, rows)
        await until(pilot, plots_are_drawn)
        await settled(pilot)
        await pictures.compare(pilot, name.format(f"{columns}x{rows}"))


@pytest.fixture
def same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show only times of the scripts, and keep every message."""
    monkeypatch.setattr("tui.jobs.job.JobEvent.can_replace", lambda *_: False)
    for module in ("app", "session", "features.training"):
        monkeypatch.setattr(f"tui.{module}.monotonic", lambda: 0.0)
    monkeypatch.setattr("tui.views.activity.monotonic", lambda: 3.0)
