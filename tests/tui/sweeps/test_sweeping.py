"""The key `G`: a sweep is asked for, watched, stopped, left and found again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import WorkError
from core.experiments.experiment import Experiment
from core.sweep.live.events import SweepResult
from core.sweep.live.folder import LOG, SweepFolder, newest_sweep
from core.sweep.live.log import logged
from tests.tui.conftest import idle, ready, until
from tests.tui.scripted_sweeps import EVENTS
from tests.tui.sweeps.scripted_sweep import Sweeping
from tui.app import FeatherweightApp
from tui.screens.question import Question
from tui.screens.sweep.dialog import SweepDialog
from tui.screens.sweep.screen import SweepScreen

pytestmark = pytest.mark.slow

SIZES = ((60, 20), (80, 24), (120, 36), (200, 60))


@pytest.fixture
def backend(tmp_path: Path) -> Sweeping:
    return Sweeping(experiment=Experiment(tmp_path / "cnn5-mnist"))


def footer(app: FeatherweightApp) -> str:
    """The keys that the screen offers."""
    return "".join(text for line in app.screen.query_one("#keys").lines for text, _ in line)


def text_of(app: FeatherweightApp, name: str) -> str:
    lines = app.screen.query_one(f"#sweep-{name}").lines
    return "\n".join("".join(span.text for span in line) for line in lines)


async def watched(pilot) -> None:
    """Start a sweep, and wait until its third trial is shown in progress."""
    await ready(pilot)
    await pilot.press("G")
    assert isinstance(pilot.app.screen, SweepDialog)
    await pilot.press("enter")
    await until(pilot, lambda app: isinstance(app.screen, SweepScreen))
    await until(pilot, lambda app: "50%" in text_of(app, "trials"))


@pytest.mark.parametrize("size", SIZES)
async def test_a_sweep_is_watched_at_every_size(app, backend, size):
    async with app.run_test(size=size) as pilot:
        await watched(pilot)
        table = text_of(app, "trials")
        states = re.findall(r"(?:10x|20x) lamp.*?(recorded|done|50%|waiting)", table)
        assert states == ["recorded", "done", "50%", "waiting"]
        assert "2 of 4 trials done · 1 running" in text_of(app, "title")
        assert "1: 10.0x, 99.20 % · on the Pareto front" in text_of(app, "front")
        for name in ("title", "trials", "front", "about"):
            assert max(map(len, text_of(app, name).splitlines()), default=0) <= size[0]
        assert backend.commands[0][-8:-6] == ["--allocate", "lamp"]
        await pilot.press("down", "down", "x")
        await idle(pilot)
        await until(pilot, lambda app: "stopped" in text_of(app, "trials"))
        assert "3 trials done, 1 left" in app.activity.text
        await pilot.press("escape")
        assert app.screen is app.main_screen


async def test_a_sweep_is_left_and_found_again(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot)
        await pilot.press("escape")
        assert app.screen is app.main_screen
        await pilot.press("p")
        assert "prune has to wait: sweeping is running" in app.session.messages.texts[-1]
        await pilot.press("G", "d")
        await idle(pilot)
        assert "keeps running" in app.activity.text
        folder = claimed(backend.experiment.folder)
        driver = logged(sweep(), folder, ["sweep"])
        next(driver)
        assert newest_sweep(backend.experiment.folder) == folder
        await pilot.press("G")
        await until(pilot, lambda app: isinstance(app.screen, SweepScreen))
        assert "x stop trial" in footer(app)
        assert backend.commands[-1] is None
        await pilot.press("X")
        await until(pilot, lambda app: isinstance(app.screen, Question))
        await pilot.press("y")
        await idle(pilot)
        assert folder.stops()[0]
        driver.close()


async def test_an_error_that_ends_a_sweep_is_on_its_screen(app, backend):
    backend.error = error = WorkError("the process of the sweep is gone")
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot)
        await pilot.press("x")
        assert "trial 1 is not running" in text_of(app, "about")
        await pilot.press("down", "down", "x")
        await idle(pilot)
        await until(pilot, lambda app: str(error) in text_of(app, "about"))
        await pilot.press("X")
        assert "the sweep has ended" in text_of(app, "about")
        assert footer(app).split() == ["?", "help", "q", "back"]


async def test_a_sweep_that_runs_is_mentioned_at_the_start(app, backend):
    driver = logged(sweep(), claimed(backend.experiment.folder), ["sweep"])
    next(driver)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert app.activity.detail == "a sweep of this experiment runs: G watches it"
    driver.close()


async def test_quitting_leaves_the_sweep_running(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await watched(pilot)
        await pilot.press("escape", "q")
        await until(pilot, lambda app: isinstance(app.screen, Question))
        await pilot.press("y")
    (folder,) = (backend.experiment.folder / "sweeps").iterdir()
    assert SweepFolder(folder).stops() == (False, set())


def claimed(experiment: Path) -> SweepFolder:
    folder = SweepFolder.claim(experiment)
    assert not (folder.path / LOG).exists()
    return folder


def sweep():
    yield from EVENTS
    return SweepResult((), (), stopped=True)
