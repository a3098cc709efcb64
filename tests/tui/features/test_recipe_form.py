"""The recipe form: its rows, its keys, and the recipe fine-tuning uses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Label

from core.errors import InputError
from core.jobs.net import Net
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.training.recipes import RECIPES, TrainingSize, recipe_named
from tests.tui.conftest import idle, ready
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.screens.help.screen import HelpScreen
from tui.screens.paced import PacedScreen
from tui.screens.recipe_dialog import RecipeDialog
from tui.state.recipe_form import ROWS as SETTINGS
from tui.state.recipe_form import RecipeForm
from tui.widgets.inputs.number_input import NumberInput

ROWS = tuple(SETTINGS)

keys = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-9, 9)),
        st.tuples(st.just("change"), st.integers(-7, 7)),
        st.tuples(st.just("reset"), st.none()),
    )
)


def row(form: RecipeForm, name: str) -> tuple[str, bool]:
    (found,) = (row for row in form.rows() if row.name == name)
    return found.value, found.changed


def at(name: str, recipe: str = "fast") -> RecipeForm:
    return RecipeForm(recipe, at=ROWS.index(name))


@given(st.sampled_from(tuple(RECIPES)), keys)
def test_any_keys_leave_a_valid_recipe_or_its_problem(recipe, pressed):
    form = RecipeForm(recipe, recalibrate="on", repair="recalibrate")
    for name, steps in pressed:
        form = getattr(form, name)(*(() if steps is None else (steps,)))
    assert 0 <= form.at < len(ROWS)
    assert [row.name for row in form.rows()] == list(ROWS)
    if not form.problem:
        made = form.changes.applied_to(recipe_named(form.recipe))
        assert row(form, "epochs")[0] == str(made.finetune.epochs)
        assert row(form, "lr")[0] == f"{made.finetune.lr:g}"


@pytest.mark.parametrize("name", ["epochs", "lr", "l1", "l2", "batch_size", "smoothing", "distill"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_number_goes_up_and_down_and_back_to_the_recipe(name, recipe):
    start = at(name, recipe)
    up, down = start.change(1), start.change(1).change(-1)
    assert float(row(up, name)[0]) > float(row(start, name)[0])
    assert float(row(down, name)[0]) <= float(row(start, name)[0])
    assert (row(up, name)[1], row(start, name)[1]) == (True, False)
    assert up.reset() == start


def test_another_optimizer_shows_its_own_learning_rate():
    start = at("optimizer")
    assert (row(start, "optimizer")[0], row(start, "lr")) == ("adamw", ("0.005", False))
    changed = start.change(1)
    assert (row(changed, "optimizer")[0], row(changed, "lr")) == ("sgd", ("0.1", True))


def test_smoothing_is_idle_beside_another_loss():
    start = at("loss")
    (idle,) = (row.idle for row in start.rows() if row.name == "smoothing")
    (other,) = (row.idle for row in start.change(1).rows() if row.name == "smoothing")
    assert (idle, other) == (False, True)


def test_another_loss_resets_smoothing_and_smoothing_selects_its_loss_again():
    smoothed = RecipeForm("fast", RecipeChanges(smoothing=0.1), at=ROWS.index("loss"))
    assert smoothed.reset() == smoothed
    margin = smoothed.change(1)
    assert (margin.changes, margin.problem) == (RecipeChanges(loss="margin"), "")
    again = RecipeForm("fast", margin.changes, at=ROWS.index("smoothing")).change(1)
    assert again.changes == RecipeChanges(loss="cross-entropy")


def test_a_value_between_two_steps_goes_to_the_next_one():
    start = at("lr")
    between = RecipeForm("fast", RecipeChanges(lr=0.003), at=start.at)
    assert row(between.change(1), "lr")[0] == "0.005"
    assert row(between.change(-1), "lr")[0] == "0.002"


def test_rounds_belong_to_the_iterative_method():
    start = at("method")
    iterative = start.change(1)
    assert row(iterative, "method")[0] == "iterative"
    (rounds,) = (row for row in iterative.rows() if row.name == "rounds")
    assert (rounds.value, rounds.idle) == ("3", False)
    more = RecipeForm("fast", iterative.changes, at=ROWS.index("rounds")).change(2)
    assert more.changes.rounds == 5
    back = RecipeForm("fast", more.changes, at=start.at).change(1)
    assert (back.changes.method, back.changes.rounds, back.problem) == ("one-shot", None, "")


def test_a_recipe_row_reset_takes_back_every_choice():
    chosen = at("epochs").change(3)
    assert RecipeForm("fast", chosen.changes, at=0).reset().changes == NO_CHANGES


def test_rewinding_needs_early_weights():
    rewound = RecipeForm("reference", at=ROWS.index("rewind")).change(1)
    assert rewound.problem == ""
    missing = RecipeForm("reference", rewound.changes, rewindable=False)
    assert "early weights" in missing.problem


class Noting(Scripted):
    """A backend that records the recipe."""

    def finetune(self, base: Net, plan, settings, *more):
        self.recipe = settings.finetuning()
        return super().finetune(base, plan, settings, *more)


async def test_fine_tuning_uses_the_chosen_recipe():
    backend = Noting()
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("c", "down", "down", "down", "right", "right", "enter", "f")
        await idle(pilot)
        assert backend.recipe.finetune.epochs == 7
        assert app.state.curve.planned == 7
        await pilot.press("c", "down", "right", "escape", "f")
        await idle(pilot)
        assert backend.recipe.method == "gradual"


async def test_a_contradictory_recipe_is_not_applied(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("c", *["down"] * 8, "right", "enter")
        assert isinstance(app.screen, RecipeDialog)
        hint = str(app.screen.query_one("#rows-hint").render())
        assert "rewinding needs masks before training starts" in hint
        await pilot.press("backspace", "enter")
        assert not isinstance(app.screen, RecipeDialog)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_a_number_is_typed_exactly(app, size):
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        await pilot.press("c", "9")
        screen = app.screen
        assert not screen.typing, "the recipe is no number"
        await pilot.press("down", "down", "down", "4", "2")
        line, hint = screen.query_one(NumberInput), screen.query_one(".line--hint", Label)
        assert line.region.bottom < app.screen.region.bottom
        await pilot.press("up", "left", "f1")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape", "enter")
        assert (row(screen.form, "epochs"), screen.typing) == (("42", True), False)
        await pilot.press("down", "3", "0", "0", "enter")
        assert "above 0, at most 100" in str(hint.content)
        await pilot.pause()
        assert hint.region.right <= screen.query_one(".dialog").region.right - 2, "it fits"
        await pilot.press("escape")
        assert row(screen.form, "lr") == ("0.005", False)
        await pilot.press("0", ".", "0", "0", "3", "enter", "enter")
        assert app.state.settings.changes == RecipeChanges(epochs=42, lr=0.003)


async def test_a_dialog_draws_no_frame_without_its_rows(app, monkeypatch):
    frames: list[bool] = []

    def draw(screen: RecipeDialog) -> None:
        if isinstance(screen, RecipeDialog):
            frames.append(bool(screen.query_one("#rows").lines))
        drawn(screen)

    drawn = PacedScreen._compositor_refresh
    monkeypatch.setattr(PacedScreen, "_compositor_refresh", draw)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert frames
        assert all(frames)


def test_a_typed_number_is_checked_and_selects_what_it_needs():
    assert at("rounds").typed("4").changes == RecipeChanges(method="iterative", rounds=4)
    for name, text in (("epochs", "2.5"), ("lr", "0"), ("smoothing", "1"), ("batch_size", "")):
        with pytest.raises(InputError, match="expected a"):
            at(name).typed(text)


def test_choosing_rounds_selects_the_iterative_method():
    start = at("rounds")
    assert (row(start, "method"), next(r for r in start.rows() if r.name == "rounds").idle) == (
        ("gradual", False),
        True,
    )
    chosen = start.change(1)
    assert row(chosen, "method") == ("iterative", True)
    assert row(chosen, "rounds")[0] == "3"
    assert row(chosen.change(1), "rounds") == ("4", True)


def test_rounds_of_a_recipe_file_select_the_iterative_method():
    form = RecipeForm("fast", RecipeChanges(rounds=4))
    assert row(form, "method") == ("iterative", True)
    assert row(form, "rounds") == ("4", True)


def test_backspace_on_the_method_takes_back_the_rounds_that_mean_it():
    form = RecipeForm("fast", RecipeChanges(rounds=4), at=ROWS.index("method"))
    assert row(form.reset(), "method") == ("gradual", False)


def test_large_images_shrink_the_batch_and_its_row_says_so() -> None:
    rows = {
        row.name: row for row in RecipeForm("fast", size=TrainingSize(55_000, 3 * 224 * 224)).rows()
    }
    assert (rows["batch_size"].value, rows["batch_size"].changed) == ("39", False)
    chosen = RecipeForm(
        "fast", RecipeChanges(batch_size=256), size=TrainingSize(55_000, 3 * 224 * 224)
    )
    rows = {row.name: row for row in chosen.rows()}
    assert (rows["batch_size"].value, rows["batch_size"].changed) == ("256", True)
