"""Draw the pictures of this folder from the real program on the real net.

    featherweight search --max-drop 0.2 --experiment FOLDER
    python screenshots/draw.py [--history FOLDER]

It opens the app without a terminal, presses the keys a person would, and saves what is on the
screen as SVG; with data in the cache it takes about as long as two fine-tunings, a scan and a
comparison of engines. The history is that of a search, which takes ten minutes of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from core.experiments.experiment import Experiment
from core.settings.settings import Settings
from tui.app import FeatherweightApp
from tui.jobs.backend import CoreBackend
from tui.views.activity import JobProgress

FOLDER = Path(__file__).parent


async def wide() -> None:
    """A plan and its result on a wide screen."""
    async with _opened(120, 36) as pilot:
        await pilot.press("m", "down", "enter", "down")
        await _save(pilot, "plan")
        await pilot.press("f")
        await _until(pilot, lambda app: not isinstance(app.doing, JobProgress))
        await _save(pilot, "finetuned")
        await _files(pilot)


async def _files(pilot: Pilot[None]) -> None:
    """What the net takes once it is in a file."""
    os.chdir(tempfile.mkdtemp())
    await pilot.press("e")
    await pilot.pause(0.6)
    await pilot.press("enter")
    await _until(pilot, lambda app: not isinstance(app.doing, JobProgress))
    await _save(pilot, "files")


async def exploring() -> None:
    """The sensitivities of the layers, a plan for 60x, and what it gets wrong."""
    async with _opened(120, 36) as pilot:
        await pilot.press("s")
        await _until(pilot, lambda app: not isinstance(app.doing, JobProgress))
        await pilot.press("m", "enter", "d")
        await _until(pilot, lambda app: not app.looking)
        await pilot.press("d")
        await _until(pilot, lambda app: not app.looking)
        await pilot.press(*["v"] * 4)
        await _save(pilot, "exploring")


async def speed() -> None:
    """How fast the aggressive plan is in every engine that is installed."""
    async with _opened(120, 36) as pilot:
        await pilot.press("m", "down", "enter", "b")
        await _until(pilot, lambda app: not isinstance(app.doing, JobProgress))
        await _until(pilot, lambda app: not app.looking)
        await _save(pilot, "speed")


async def history(folder: Path) -> None:
    """The trials of a search, and which of them nothing beats."""
    async with _opened(120, 36, folder) as pilot:
        await pilot.press("h")
        await asyncio.sleep(2)
        await _save(pilot, "history")


async def narrow() -> None:
    """The smallest usual terminal while it trains."""
    async with _opened(80, 24) as pilot:
        await pilot.press("m", "down", "enter", "f")
        await _until(pilot, lambda app: len(app.state.course.epochs) == 3)
        await asyncio.sleep(4)
        await _save(pilot, "training")


def _opened(width: int, height: int, folder: Path | None = None):
    folder = folder or Path(tempfile.mkdtemp())
    app = FeatherweightApp(CoreBackend(Settings(), Experiment(folder)))
    return _Ready(app, (width, height))


class _Ready:
    """The app, from the moment that the dense net is there."""

    def __init__(self, app: FeatherweightApp, size: tuple[int, int]) -> None:
        self._app = app
        self._context = app.run_test(size=size)

    async def __aenter__(self) -> Pilot[None]:
        pilot = await self._context.__aenter__()
        await _until(pilot, lambda app: app.state.base is not None)
        return pilot

    async def __aexit__(self, *error: object) -> None:
        await self._context.__aexit__(*error)


async def _until(pilot: Pilot[None], reached: Callable[[FeatherweightApp], bool]) -> None:
    while not reached(pilot.app):
        await asyncio.sleep(0.1)


async def _save(pilot: Pilot[None], name: str) -> None:
    await pilot.pause(0.6)
    (FOLDER / f"{name}.svg").write_text(pilot.app.export_screenshot(), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", metavar="FOLDER", type=Path)
    given = parser.parse_args()
    if given.history is not None:
        asyncio.run(history(given.history))
    asyncio.run(wide())
    asyncio.run(exploring())
    asyncio.run(speed())
    asyncio.run(narrow())
