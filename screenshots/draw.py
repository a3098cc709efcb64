"""Draw the pictures of this folder from the real program on the real net.

    featherweight search --max-drop 0.2 --experiment FOLDER
    python screenshots/draw.py [--history FOLDER]

It runs the app without a terminal, presses keys and saves the screen as SVG. With the data in the
cache it takes about as long as two fine-tunings, a scan and a benchmark. The history comes from a
search, which takes another ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.experiments.experiment import Experiment
from core.settings.settings import Settings
from tui.app import FeatherweightApp
from tui.jobs.backend import Backend
from tui.views.activity import JobProgress

FOLDER = Path(__file__).parent


async def wide() -> None:
    """A plan and its result on a wide screen."""
    async with _opened(120, 36) as pilot:
        await pilot.press("m", "down", "enter", "down")
        await _save(pilot, "plan")
        await pilot.press("f")
        await _until_idle(pilot)
        await _save(pilot, "finetuned")
        await _files(pilot)


async def _files(pilot: Pilot[None]) -> None:
    """The size of the net as a file."""
    os.chdir(tempfile.mkdtemp())
    await pilot.press("e")
    await pilot.pause(0.6)
    await pilot.press("enter")
    await _until_idle(pilot)
    await _save(pilot, "files")


async def exploring() -> None:
    """Layer sensitivities, a preset, and the images it gets wrong."""
    async with _opened(120, 36) as pilot:
        await pilot.press("s")
        await _until_idle(pilot)
        await pilot.press("m", "enter", "d")
        await _until_idle(pilot)
        await pilot.press("d")
        await _until_idle(pilot)
        await pilot.press(*["v"] * 4)
        await _save(pilot, "exploring")


async def speed() -> None:
    """The speed of the aggressive plan in every installed engine."""
    async with _opened(120, 36) as pilot:
        await pilot.press("m", "down", "enter", "b")
        await _until_idle(pilot)
        await _save(pilot, "speed")


async def history(folder: Path) -> None:
    """The trials of a search and their Pareto front."""
    async with _opened(120, 36, folder) as pilot:
        await pilot.press("h")
        await asyncio.sleep(2)
        await _save(pilot, "history")


async def narrow() -> None:
    """A fine-tuning in the smallest common terminal."""
    async with _opened(80, 24) as pilot:
        await pilot.press("m", "down", "enter", "f")
        await _until(pilot, lambda app: app.state.curve and len(app.state.curve.epochs) == 3)
        await asyncio.sleep(4)
        await _save(pilot, "training")
        await pilot.press("x")  # a thread in native code would abort the exit of this script
        await _until_idle(pilot)


@asynccontextmanager
async def _opened(
    width: int, height: int, folder: Path | None = None
) -> AsyncIterator[Pilot[None]]:
    """The app, once the dense net is open."""
    backend = Backend(Settings(), Experiment(folder or Path(tempfile.mkdtemp())))
    async with FeatherweightApp(backend).run_test(size=(width, height)) as pilot:
        await _until(pilot, lambda app: app.state.base is not None)
        yield pilot


async def _until_idle(pilot: Pilot[None]) -> None:
    await _until(pilot, lambda app: not isinstance(app.activity, JobProgress) and not app.measuring)


async def _until(pilot: Pilot[None], reached: Callable[[Any], object]) -> None:
    while not reached(pilot.app):
        await asyncio.sleep(0.1)


async def _save(pilot: Pilot[None], name: str) -> None:
    await pilot.pause(0.6)
    (FOLDER / f"{name}.svg").write_text(pilot.app.export_screenshot(), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", metavar="FOLDER", type=Path)
    args = parser.parse_args()
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()  # no saved plan of the user
    if args.history is not None:
        asyncio.run(history(args.history))
    asyncio.run(wide())
    asyncio.run(exploring())
    asyncio.run(speed())
    asyncio.run(narrow())
