"""What the features' actions do to the state, without an app."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import InputError
from core.jobs.restore import RestoredRun
from core.settings.recipe_changes import RecipeChanges
from core.settings.recipe_file import read_config
from core.settings.settings import Settings
from tests.tui.features.sessions import session
from tests.tui.scripted_nets import AGGRESSIVE, MODERATE, PRUNED, TUNED, net, residual, scanned
from tui.features.exporting import file_name, net_name
from tui.features.feature import available, is_available, waits
from tui.features.goals import Goals
from tui.features.history import with_run
from tui.features.layer_list import LayerList
from tui.features.planning import Planning
from tui.features.plots import Plots
from tui.features.program import Program
from tui.features.recipe_files import settings_with
from tui.features.scanning import Scanning
from tui.features.training import Training
from tui.screens.goal_dialog import GoalRequest
from tui.state.recipe_form import RecipeForm
from tui.state.results import Result, shot_of
from tui.state.state import State
from tui.views.activity import JobProgress
from tui.views.plot_registry import PLOTS
from tui.widgets.layer_table import LayerTable

START = State().with_dense(net())


def test_an_action_is_available_when_its_condition_holds_and_no_job_blocks_it():
    @available(lambda session: session.state is not None, waits=True)
    def action() -> None: ...

    idle, busy = SimpleNamespace(state=1, job=None), SimpleNamespace(state=1, job=object())
    assert waits(action)
    assert (is_available(action, idle), is_available(action, busy)) == (True, False)
    assert not is_available(action, SimpleNamespace(state=None, job=None))
    assert is_available(lambda: None, busy)


def test_keys_change_the_selected_layer_and_undo_restores_it():
    opened, _ = session()
    planning = Planning(opened)
    planning.choose(1)
    planning.nudge(5)
    assert (opened.state.chosen, opened.state.planned["conv2"]) == (1, 0.05)
    planning.reset()
    assert opened.state.planned["conv2"] == 0
    planning.undo()
    assert (opened.state.planned["conv2"], opened.activity.text) == (0.05, "undone · U to redo")
    planning.redo()
    assert opened.state.planned["conv2"] == 0


def test_a_sparsity_is_spread_to_every_layer_but_the_locked_ones():
    opened, _ = session()
    planning = Planning(opened)
    planning.choose(4)
    planning.lock()
    assert opened.state.locked == {"fc2"}
    planning.choose(-4)
    planning.nudge(30)
    planning.copy_to_listed()
    assert opened.state.planned == {**dict.fromkeys(opened.state.layer_names, 0.3), "fc2": 0.0}
    planning.undo()
    planning.choose(4)
    planning.lock()
    assert opened.state.locked == frozenset()


def test_a_group_changes_together_and_says_how_many_layers():
    opened, _ = session(residual())
    planning, layers = Planning(opened), LayerList(opened)
    planning.choose(1)
    group = opened.state.listing.row
    assert group.group
    planning.nudge(20)
    planning.copy_to_listed()
    assert {opened.state.sparsity_of((index,)) for index in group.layers} == {0.2}
    planning.reset()
    assert opened.activity.text.startswith(f"{len(group.layers)} layers reset")
    planning.lock()
    before = opened.state.plan
    planning.nudge(5)
    assert (opened.state.plan, opened.activity.role) == (before, "warning")
    rows = len(opened.state.listing.rows)
    layers.fold()
    assert len(opened.state.listing.rows) > rows  # a net of many layers opens folded
    layers.list_same_kind()
    assert opened.state.listing.filter
    assert str(len(opened.state.listing.row.layers)) in opened.activity.text
    layers.list_all()
    assert not opened.state.listing.filter


def test_the_mouse_selects_sets_and_nudges_a_row():
    opened, _ = session()
    planning = Planning(opened)
    planning.on_mouse_action(LayerTable.MouseAction(2))
    assert (opened.state.chosen, opened.state.untouched) == (2, True)
    planning.on_mouse_action(LayerTable.MouseAction(3, 0.5))
    planning.on_mouse_action(LayerTable.MouseAction(0, steps=-1))
    planning.on_mouse_action(LayerTable.MouseAction(1, steps=2))
    assert list(opened.state.planned.values()) == [0, 0.02, 0, 0.5, 0]


def test_a_preset_and_a_recipe_are_taken_from_their_dialogs():
    opened, app = session()
    planning = Planning(opened)
    planning.presets()
    _, take = app.dialogs.pop()
    take(None)
    assert opened.state.untouched
    take("aggressive")
    assert opened.state.planned == AGGRESSIVE
    planning.recipe()
    _, take = app.dialogs.pop()
    take(RecipeForm("reference", RecipeChanges(epochs=3)))
    settings = opened.state.settings
    assert (settings.recipe, settings.changes) == ("reference", RecipeChanges(epochs=3))


def test_a_goal_sets_the_plan_and_says_how():
    opened, app = session()
    Goals(opened).ask()
    _, take = app.dialogs.pop()
    take(GoalRequest("60x", "lamp", AGGRESSIVE))
    assert opened.state.planned == AGGRESSIVE
    assert opened.activity.transient
    assert opened.activity.text.startswith("60x: sparsities set by lamp")
    Planning(opened).nudge(-1)
    assert opened.activity.text == ""


def test_the_plots_follow_one_another_and_the_tolerance_brings_its_own():
    opened, _ = session()
    plots = Plots(opened)
    names = tuple(PLOTS)
    plots.step(1)
    assert opened.state.plot == names[1]
    plots.step(-2)
    assert opened.state.plot == names[-1]
    Scanning(opened).move_tolerance(1)
    assert (opened.state.plot, opened.state.tolerance) == ("sensitivity", 1.5)
    plots.images()
    assert (opened.state.plot, opened.state.images.mode) == ("predictions", "chosen")
    plots.images()
    assert opened.state.images.mode == "wrong"
    plots.more_images()
    assert opened.state.images.start == 1


def test_quitting_asks_only_while_work_would_be_lost():
    opened, app = session()
    opened.activity = JobProgress("pruning", 0.0)
    Program(opened).leave()
    assert not app.left
    _, take = app.dialogs.pop()
    take(False)
    assert not app.left
    take(True)
    assert app.left


def test_the_fine_tuned_net_becomes_the_base_and_the_dense_one_again():
    opened, _ = session()
    tuned = net(MODERATE)
    state = opened.state.set_plan(MODERATE)
    result = Result(MODERATE, state.base, TUNED, state.footprint, tuned)
    opened.show(state.with_finetuned(result, state.undo_point))
    training = Training(opened)
    assert is_available(training.adopt, opened)
    training.adopt()
    assert opened.state.base is tuned
    assert not is_available(training.adopt, opened)
    training.revert()
    assert opened.state.base is opened.state.dense


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (START, "the dense net"),
        (START.set_plan(MODERATE), "the pruned net"),
        (replace(START, base=net(MODERATE)), "the base"),
    ],
)
def test_an_export_names_the_net_on_the_screen(state: State, named: str):
    assert net_name(state) == named
    assert file_name(state, ".fw").endswith("x.fw")


def test_a_restored_run_brings_its_nets_plan_and_recipe_and_undo_returns():
    run = net(MODERATE)
    settings = Settings(recipe="reference", seed=7)
    restored = RestoredRun(settings, START.dense, MODERATE, run, "finetuned", PRUNED, ())
    state = with_run(START, restored)
    assert (state.base, state.planned, state.net) == (START.dense, MODERATE, run)
    assert (state.settings.recipe, state.settings.seed) == ("reference", 7)
    assert state.pruned.accuracy == PRUNED
    assert state.undo().untouched
    dense = with_run(START, replace(restored, plan=None))
    assert (dense.dense, dense.base, dense.finetuned) == (run, run, None)


def test_a_net_pruned_another_way_is_restored_with_that_way():
    changes = RecipeChanges(criterion="obs")
    settings = Settings(seed=7, recalibrate="off", changes=changes)
    restored = RestoredRun(settings, START.dense, MODERATE, net(MODERATE), "pruned", PRUNED, ())
    state = with_run(START, restored)
    assert state.shot == shot_of(settings)
    assert state.is_current(state.pruned)
    assert state.undo().settings == START.settings


def test_a_recipe_file_sets_the_seed_and_one_for_another_net_is_refused(tmp_path: Path):
    here, path = Settings(), tmp_path / "recipe.toml"
    path.write_text("seed = 5")
    assert settings_with(read_config(path), here) == replace(here, seed=5)
    path.write_text('model = "mlp"')
    with pytest.raises(InputError, match="mlp"):
        settings_with(read_config(path), here)


def test_a_saved_scan_comes_with_its_base():
    opened, _ = session()
    opened.backend.stored_scans = {opened.state.base.digest: scanned(5_000)}
    assert opened.with_stored_scan(opened.state).scan is not None
    assert opened.with_stored_scan(replace(opened.state, base=None)).scan is None
