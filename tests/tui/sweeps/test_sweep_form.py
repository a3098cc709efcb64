"""The form of a sweep, and the command it becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.experiments.experiment import Experiment
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.tui.scripted_nets import SHAPES, net
from tui.cli.main import _parser as parser
from tui.cli.sweeps.options import grid_of
from tui.features.sweeps.sweep_command import sweep_words
from tui.preferences.declared import NO_PREFERENCES
from tui.state.state import State
from tui.state.sweep.form import METHODS, MOST_SEEDS, SweepForm

FORM = SweepForm(Settings())


@pytest.mark.parametrize("ratios", ["", "10,,20", "0.5", "x", "10,10", "10 20"])
def test_ratios_that_are_none_are_a_problem(ratios: str) -> None:
    assert replace(FORM, ratios=ratios).problem


def test_rows_change_within_their_limits() -> None:
    assert FORM.move(-1) == FORM.change(1) == FORM
    assert FORM.move(9).at == 4
    assert METHODS[FORM.move(1).change(1).methods] == ("lamp", "erk")
    assert FORM.move(2).change(99).seeds == MOST_SEEDS
    assert FORM.move(4).change(-5).workers == 1
    assert FORM.move(3).change(9).move(1).change(1).workers == 1  # the cluster says how many
    assert replace(FORM, ratios="10x, 20").problem == ""


def test_the_preview_counts_trials() -> None:
    form = FORM.move(2).change(2)
    assert form.preview(None) == "9 trials: 3 plans x 3 seeds"
    assert form.preview(()).endswith("; time unknown until the first is done")


def test_the_command_is_the_sweep_of_the_form(tmp_path) -> None:
    """The command line reads the words as the same trials."""
    changes = RecipeChanges(epochs=2, lr=2e-3, augment=("shift",), rewind=False)
    settings = Settings(recipe="reference", seed=3, threads=2, changes=changes)
    form = replace(FORM, settings=settings, seeds=2, methods=1, workers=2)
    plan = dict.fromkeys(SHAPES, 0.5) | {"fc2": 0.25}
    locked = frozenset({"fc2"})
    state = State(settings=settings, dense=net(), base=net(), plan=plan, locked=locked)
    words = sweep_words(form, state, Experiment(tmp_path))
    args = parser().parse_args(words)
    args.preferences = NO_PREFERENCES
    grid, trials = grid_of(args)
    assert grid.count_text() == form.grid.count_text()
    assert [(t.label, t.settings) for t in trials] == [(t.label, t.settings) for t in form.trials]
    assert (args.workers, args.lock, args.experiment) == (2, {"fc2": 0.25}, str(tmp_path))
    words = sweep_words(replace(form, place=2), state, Experiment(tmp_path))
    args = parser().parse_args(words)
    assert (args.on, args.gpus_per_trial, "workers" in args) == ("auto", 1.0, False)
