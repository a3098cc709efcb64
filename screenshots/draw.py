"""Draw the pictures of this folder from the real program on the real net.

    featherweight lightest --max-drop 0.2 --experiment FOLDER
    python -m screenshots.draw [--history FOLDER]

It runs the app without a terminal, presses keys and saves the screen as SVG. With the data in the
cache it takes about as long as two fine-tunings, a scan, a benchmark and a small sweep. The history
is the way to the lightest net, which takes longer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.experiments.experiment import Experiment
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tui.app import FeatherweightApp
from tui.jobs.backend import Backend
from tui.screens.sweep.screen import SweepScreen
from tui.views.activity import JobProgress

FOLDER = Path(__file__).parent

SETTLED = 2.0
"""Seconds until the last redraw is over."""


@dataclass(frozen=True)
class Session:
    """The app at a size, and what leads from one picture to the next.

    Attributes:
        pictures: their names and the keys before each, in order.
        runs: whether it shows the runs of `--history`.
        settings: of the program.
    """

    columns: int
    rows: int
    pictures: dict[str, str]
    runs: bool = False
    settings: Settings = field(default_factory=Settings)


LIGHT = Settings(model="lenet-300-100", changes=RecipeChanges(epochs=4))
"""A net with which a sweep takes a minute."""

SESSIONS = (
    Session(120, 36, {"history": "h"}, runs=True),
    Session(
        120,
        36,
        {"plan": "m down enter down (done)", "finetuned": "f (done)", "files": "e enter (done)"},
    ),
    Session(120, 36, {"exploring": "s (done) m down enter (done) v v"}),
    Session(120, 36, {"speed": "m down enter b (done)"}),
    Session(120, 36, {"sweep": "G end comma 8 0 down right enter (second-half)"}, settings=LIGHT),
    Session(80, 24, {"training": "m down enter f (fourth-epoch)"}),
)
"""A plan and its result; sensitivities and what the net gets wrong; engines; a sweep; a small
terminal."""


async def play(pilot: Pilot[None], keys: str) -> None:
    """Press keys, and wait where a name in parentheses says what for."""
    for key in keys.split():
        if key in WAITS:
            await until(pilot, WAITS[key])
        else:
            await pilot.press(key)
            await pilot.pause()


def is_done(app: Any) -> bool:
    """Whether no job runs, and nothing is measured in the background."""
    return not isinstance(app.activity, JobProgress) and not app.measuring


def in_fourth_epoch(app: Any) -> bool:
    """Whether three epochs of a fine-tuning have ended."""
    return app.state.curve is not None and len(app.state.curve.epochs) == 3


def in_second_half(app: Any) -> bool:
    """Whether half of the trials of a sweep have ended, and the next one has been validated."""
    if not isinstance(app.screen, SweepScreen):
        return False
    board = app.screen.board
    half = 2 * len(board.outcomes) >= len(board.trials)
    return half and any(active.validated for active in board.active)


WAITS: dict[str, Callable[[Any], bool]] = {
    "(done)": is_done,
    "(fourth-epoch)": in_fourth_epoch,
    "(second-half)": in_second_half,
}


async def until(pilot: Pilot[None], reached: Callable[[Any], object]) -> None:
    """Wait until something is reached."""
    while not reached(pilot.app):
        await asyncio.sleep(0.05)


async def _draw(session: Session, folder: Path | None) -> None:
    """Draw the pictures of a session."""
    os.chdir(tempfile.mkdtemp())  # for exported files
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()  # no plan of the user or of another session
    backend = Backend(session.settings, Experiment(folder or Path(tempfile.mkdtemp())))
    app = FeatherweightApp(backend)
    async with app.run_test(size=(session.columns, session.rows)) as pilot:
        await until(pilot, lambda app: app.state.base is not None)
        for name, keys in session.pictures.items():
            await play(pilot, keys)
            await asyncio.sleep(SETTLED)
            (FOLDER / f"{name}.svg").write_text(app.export_screenshot(), encoding="utf-8")
        if app.job is not None:
            app.job.stop()  # a thread in native code would abort the exit of this script
            await until(pilot, lambda app: app.job is None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", metavar="FOLDER", type=lambda path: Path(path).resolve())
    args = parser.parse_args()
    for each in SESSIONS:
        if not each.runs or args.history is not None:
            asyncio.run(_draw(each, args.history if each.runs else None))
