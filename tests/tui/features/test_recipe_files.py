"""Recipe files in the app: what is written and opened is the same plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.settings.recipe_changes import RecipeChanges
from core.settings.recipe_file import read_config
from tests.tui.conftest import idle, ready
from tests.tui.features.test_exploring import said_in_dialog, typed
from tests.tui.scripted import Many
from tests.tui.scripted_nets import AGGRESSIVE, MODERATE, residual
from tui.app import FeatherweightApp
from tui.screens.path_dialog import PathDialog
from tui.screens.question import Question

pytestmark = pytest.mark.slow


async def test_a_recipe_written_and_opened_is_the_same_plan_with_its_results(app, tmp_path):
    path = tmp_path / "mine.toml"
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        exact = {name: 0.9 + 1e-9 * place for place, name in enumerate(app.state.layer_names)}
        app.session.show(app.state.set_plan({**exact, "fc1": 1 - 841 / 147_456}))
        await pilot.press("p")
        await idle(pilot)
        before = app.state
        for key in ("w", "o"):
            await pilot.press(key)
            await typed(pilot, str(path))
            await pilot.press("enter")
        assert "\nconv1 = 0.9\nconv2 = 0.9\nconv3 = 0.9\nfc1 = 0.994297\n" in path.read_text()
        assert app.state.planned == before.planned
        assert app.state.is_current(app.state.pruned)
        assert len(app.state.past) == len(before.past)


async def test_a_group_in_a_recipe_file_works_as_in_the_table(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[sparsity]\nlayer3 = 0.9\n'layer3.*.conv2' = 0.95\nlayr4 = 0.5\n")
    app = FeatherweightApp(Many(net=residual()))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("o")
        await typed(pilot, str(path))
        await pilot.press("enter")
        assert "line 4: unknown layer 'layr4'" in said_in_dialog(app)
        assert "did you mean 'layer4'" in said_in_dialog(app)
        path.write_text(path.read_text().replace("layr4 = 0.5", ""))
        await typed(pilot, str(path))
        await pilot.press("enter")
        sparser = {f"layer3.{block}.conv2" for block in range(6)}
        assert app.state.planned == {
            name: 0.95 if name in sparser else 0.9 if name.startswith("layer3.") else 0.0
            for name in app.state.layer_names
        }


async def test_a_recipe_is_written_and_taken_again(app, tmp_path):
    path = tmp_path / "mine.toml"
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "c", "down", "down", "down", "right", "enter")
        await pilot.press("w")
        await typed(pilot, str(path))
        await pilot.press("enter")
        assert "mine.toml" in app.activity.text
        assert read_config(path).plan == AGGRESSIVE
        await pilot.press("u", "u")
        assert (app.state.untouched, app.state.settings.changes) == (True, RecipeChanges())
        await pilot.press("o")
        await typed(pilot, str(path))
        await pilot.press("enter")
        assert app.state.planned == AGGRESSIVE
        assert app.state.settings.changes == RecipeChanges(epochs=6)
        await pilot.press("u")
        assert (app.state.untouched, app.state.settings.changes) == (True, RecipeChanges())
        await pilot.press("U")
        await pilot.press("w", "enter")
        assert isinstance(app.screen, Question)
        await pilot.press("n")
        await pilot.press("w")
        await typed(pilot, str(tmp_path / "nowhere" / "mine.toml"))
        await pilot.press("enter")
        assert "no such folder" in said_in_dialog(app)
        await typed(pilot, "~nobody-of-this-name/mine.toml")
        await pilot.press("enter")
        assert "cannot find '~nobody-of-this-name" in said_in_dialog(app)


async def test_a_recipe_without_a_word_on_fine_tuning_leaves_that_alone(app, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("seed = 7\n[sparsity]\nconv1 = 0.5")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("c", "right", "down", "right", "right", "enter", "m", "enter")
        before = app.state.settings
        assert (before.recipe, before.finetuning().method) == ("reference", "iterative")
        await pilot.press("o")
        await typed(pilot, str(path))
        await pilot.press("enter")
        assert app.state.settings == replace(before, seed=7)
        assert app.state.planned == {**dict.fromkeys(MODERATE, 0.0), "conv1": 0.5}
        await pilot.press("u")
        assert (app.state.settings, app.state.planned) == (before, MODERATE)


async def test_a_recipe_is_taken_whole_as_the_command_line_takes_it(app, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[finetune]\nepochs = 2")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("c", "right", "down", "right", "right", "enter", "m", "enter", "o")
        await typed(pilot, str(path))
        await pilot.press("enter")
        assert app.state.settings == read_config(path).merged_with({})
        assert app.state.planned == MODERATE, "it says nothing of sparsities"


async def test_a_recipe_that_cannot_be_taken_changes_nothing(app, tmp_path):
    path = tmp_path / "mine.toml"
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for text, said in (
            ("[sparsity]\nconv9 = 0.5", "line 2: unknown layer 'conv9'"),
            ("[finetune]\nrounds = 3\nmethod = 'gradual'", "3 rounds need"),
            ("protocol = 'reference'", "start featherweight with --protocol reference"),
        ):
            path.write_text(text)
            await pilot.press("o")
            await typed(pilot, str(path))
            await pilot.press("enter")
            assert said in said_in_dialog(app)
            assert app.state.untouched
            await pilot.press("escape")
            assert not isinstance(app.screen, PathDialog)
