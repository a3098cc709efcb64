"""Screens that are the same in every run."""

from __future__ import annotations

import pytest


@pytest.fixture
def same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show only times of the scripts, and keep every message."""
    monkeypatch.setattr("tui.jobs.job.JobEvent.can_replace", lambda *_: False)
    for module in ("app", "session", "features.training"):
        monkeypatch.setattr(f"tui.{module}.monotonic", lambda: 0.0)
    monkeypatch.setattr("tui.views.activity.monotonic", lambda: 3.0)
