"""The app over a scripted backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.tui.scripted import PATIENCE, Scripted
from tui.app import FeatherweightApp
from tui.views.activity import Outcome


async def until(pilot: Pilot[None], reached: Callable[[FeatherweightApp], object]) -> None:
    """Let the app go on until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not reached(pilot.app):
            await asyncio.sleep(0.01)
    await pilot.pause()


async def ready(pilot: Pilot[None]) -> None:
    """Until the dense net is open."""
    await until(pilot, lambda app: app.state.base is not None and app.job is None)


async def idle(pilot: Pilot[None]) -> None:
    """Until no job runs and the outcome is shown."""
    await until(pilot, lambda app: app.job is None and isinstance(app.doing, Outcome))


@pytest.fixture
def backend() -> Scripted:
    return Scripted()


@pytest.fixture
def app(backend: Scripted) -> FeatherweightApp:
    return FeatherweightApp(backend)
