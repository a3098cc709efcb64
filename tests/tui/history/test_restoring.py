"""From the main screen to the history, and back to a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.experiments.experiment import Experiment
from core.settings.recipe_changes import RecipeChanges
from tests.tui.conftest import idle, ready, shown, until
from tests.tui.history.histories import AGGRESSIVE, finished, interrupted, record, tuning
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import MODERATE, TUNED
from tui.app import FeatherweightApp
from tui.screens.history.screen import HistoryScreen

pytestmark = pytest.mark.slow


def with_a_run(tmp_path: Path, **options: object) -> Scripted:
    experiment = Experiment(tmp_path)
    finished(experiment, AGGRESSIVE, 99.26, 99.31)
    return Scripted(experiment=experiment, **options)


async def chosen(pilot) -> None:
    """Choose the newest run of the history."""
    await pilot.press("h")
    await until(pilot, lambda app: isinstance(app.screen, HistoryScreen))
    history = pilot.app.screen
    await until(pilot, lambda _: history.run_list.rows and not history.busy)
    await pilot.press("enter")
    await until(pilot, lambda app: not isinstance(app.screen, HistoryScreen))


async def test_a_run_comes_back_with_its_sparsities_recipe_and_net(tmp_path):
    app = FeatherweightApp(with_a_run(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter")
        await chosen(pilot)
        await idle(pilot)
        assert app.session.backend.started == ["restore 0001"]
        assert app.state.planned == MODERATE
        assert app.state.settings.changes == RecipeChanges(epochs=2)
        assert app.state.is_current(app.state.finetuned)
        assert app.state.finetuned.accuracy == TUNED
        assert len(app.state.curve.epochs) == 5
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "fine-tuned 99.26" in shown(app, "#scoreboard")
        assert "run 0001 restored" in app.activity.text
        await pilot.press("a")
        assert app.state.base.run == "0001"
        await pilot.press("u", "u")
        assert app.state.finetuned is None
        assert app.state.planned["conv1"] == 0.65


async def test_a_run_that_was_killed_goes_on_with_the_curve_that_it_had(tmp_path):
    experiment = Experiment(tmp_path)
    interrupted(experiment, epochs=2)
    backend = Scripted(experiment=experiment, error=InputError("it is only looked at"))
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await chosen(pilot)
        await idle(pilot)
        course = app.state.curve
        assert (course.finetuning, course.planned, len(course.epochs)) == (True, 5, 2)


async def test_a_run_that_was_killed_in_its_first_epoch_starts_over_from_the_history(tmp_path):
    experiment = Experiment(tmp_path)
    with experiment.begin(record(tuning(AGGRESSIVE))) as writer:
        experiment.annotate(experiment.find(writer.id), "kept, as one that was killed")
    backend = Scripted(experiment=experiment)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert app.activity.detail == "run 0001 was interrupted: press h to resume it"
        await chosen(pilot)
        await idle(pilot)
        assert backend.started == ["restore 0001"]
        assert app.state.finetuned.accuracy == TUNED


async def test_a_run_that_cannot_be_brought_back_says_why_and_changes_nothing(tmp_path):
    app = FeatherweightApp(with_a_run(tmp_path, error=InputError("its net is not here")))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await chosen(pilot)
        await idle(pilot)
        assert app.activity.text == "its net is not here"
        assert app.state.untouched


async def test_a_run_that_was_interrupted_is_mentioned_at_the_start(tmp_path):
    experiment = Experiment(tmp_path)
    interrupted(experiment, epochs=2)
    app = FeatherweightApp(Scripted(experiment=experiment))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert app.activity.detail == "run 0001 was interrupted: press h to resume it"


async def test_the_history_marks_the_run_that_ends_while_it_is_open(tmp_path):
    backend = with_a_run(tmp_path, pause_at=3)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("h")
        await until(pilot, lambda app: isinstance(app.screen, HistoryScreen))
        assert app.screen.current is None
        backend.go.set()
        await until(pilot, lambda app: app.job is None)
        assert app.screen.current == "0002"


async def test_while_a_job_runs_a_run_has_to_wait(tmp_path):
    backend = with_a_run(tmp_path, pause_at=3)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await until(pilot, lambda _: backend.paused.is_set())
        await chosen(pilot)
        assert backend.started == ["finetune"]
        backend.go.set()
        await idle(pilot)
