"""Recalibration and the scan's repair in the form of the recipe, and what then belongs to them."""

from __future__ import annotations

from dataclasses import replace

from core.settings.settings import DEFAULTS
from tests.tui.scripted_nets import AGGRESSIVE, PRUNED, TUNED, net
from tui.state.recipe_form import RecipeForm
from tui.state.results import order_of, shot_of
from tui.state.state import State

FORM = RecipeForm("fast", recalibrate="on", repair="recalibrate")


def at(form: RecipeForm, name: str) -> RecipeForm:
    return replace(form, at=[row.name for row in form.rows()].index(name))


def test_their_rows_change_and_reset_the_settings() -> None:
    form = at(FORM, "recalibrate").change(1)
    form = at(form, "repair").change(1)
    changed = {row.name: row.value for row in form.rows() if row.changed}
    assert changed == {"recalibrate": "off", "repair": "reconstruct"}
    settings = form.applied_to(DEFAULTS)
    assert (settings.recalibrate, settings.repair) == ("off", "reconstruct")
    assert not settings.recalibrates
    assert settings.reconstructs_scans
    assert form.reset().repair == "recalibrate"
    assert form.reset().recalibrate == "off"


def test_a_net_without_statistics_has_no_row_for_them_and_keeps_the_setting() -> None:
    form = replace(FORM, recalibrate=None)
    assert "recalibrate" not in [row.name for row in form.rows()]
    stale = replace(DEFAULTS, recalibrate="off")
    assert form.applied_to(stale) == stale
    assert not {"recalibrate", "repair"} & {row.name for row in RecipeForm("fast").rows()}


def test_a_net_pruned_without_recalibration_is_another_one_in_the_same_order() -> None:
    stale = replace(DEFAULTS, recalibrate="off")
    assert shot_of(DEFAULTS) != shot_of(stale)
    assert order_of(DEFAULTS) == order_of(stale)
    assert shot_of(DEFAULTS) == shot_of(replace(DEFAULTS, repair="reconstruct"))


def test_a_fine_tuned_net_is_the_same_with_stale_statistics_and_a_pruned_one_is_not() -> None:
    state = State().with_dense(net())
    tuned = state.with_restored(net(), AGGRESSIVE, net(AGGRESSIVE, TUNED), PRUNED, None)
    for recalibrate in ("off", "on"):
        tuned = tuned.set_recipe(replace(tuned.settings, recalibrate=recalibrate))
        assert tuned.is_current(tuned.finetuned)
        assert tuned.is_current(tuned.pruned) == (recalibrate == "on")
    other = replace(tuned.settings, changes=replace(tuned.settings.changes, criterion="obs"))
    assert not tuned.set_recipe(other).is_current(tuned.finetuned)
