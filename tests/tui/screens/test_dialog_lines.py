"""The lines of the dialogs: their text, and that they fit."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.formats.export_formats import VALUES
from core.settings.settings import SETTINGS
from tests.tui.scripted_nets import AGGRESSIVE, net, scanned
from tui.keys.history_keys import KEYS as HISTORY_KEYS
from tui.screens.form_dialog import around, row_lines
from tui.screens.goal_dialog import (
    METHODS,
    TOLERANCE,
    GoalRequest,
    drop_of,
    method_lines,
    plan_of,
    preview_lines,
)
from tui.screens.help.sections import help_lines
from tui.screens.history.help import SYMBOLS, history_help
from tui.state.export_form import ExportForm
from tui.state.recipe_form import ROWS, RecipeForm
from tui.state.state import State
from tui.text.lines import Lines, Span

START = State().with_dense(net())
NARROW, WIDE = 51, 70
"""Cells of a dialog's rows at 60 and at 80 columns."""


def text_of(lines: Lines) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


@pytest.mark.parametrize(
    ("path", "values", "levels"), product(("a.fw", "a.onnx"), VALUES, (None, 4))
)
def test_an_export_form_fits_in_60_columns(path: str, values: str, levels: int | None):
    rows = ExportForm(path, values, levels).rows()
    assert "…" not in text_of(row_lines(rows, 0, NARROW))


@pytest.mark.parametrize("recipe", ["fast", "reference"])
def test_a_recipe_form_fits_in_80_columns_whatever_is_chosen(recipe: str):
    for at in range(len(ROWS)):
        form = RecipeForm(recipe, at=at, recalibrate="on", repair=SETTINGS["repair"].default)
        for _ in range(8):
            assert "…" not in text_of(row_lines(form.rows(), at, WIDE))
            form = form.change(1)


def test_a_form_marks_its_selected_changed_and_idle_rows():
    form = RecipeForm("fast").move(2).change(1)
    lines = row_lines(form.rows(), form.at, WIDE)
    assert [line[0].text for line in lines].index("▶ ") == form.at
    for line, row in zip(lines, form.rows(), strict=True):
        assert line[2].text.strip().endswith("*") == row.changed
        assert line[2].text.startswith("–") == row.idle


@given(st.integers(1, 20), st.integers(3, 20), st.data())
def test_rows_that_are_left_out_are_counted(number: int, room: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, number - 1))
    shown = [text_of((line,)) for line in around(lines_of(number), at, room)]
    assert len(shown) == min(number, room)
    assert f"row {at}" in shown
    counted = [int(text.split()[1]) for text in shown if text.endswith("more")]
    assert number == len(shown) - len(counted) + sum(counted)


def lines_of(number: int) -> Lines:
    return tuple((Span(f"row {at}", "plain"),) for at in range(number))


@pytest.mark.parametrize("width", [0, 20, NARROW, WIDE])
def test_every_method_has_a_line_and_the_chosen_one_is_marked(width: int):
    lines = method_lines("erk", width)
    assert len(lines) == len(METHODS)
    assert [line[1].text.strip() for line in lines if line[0].text == "▶ "] == ["erk"]


@pytest.mark.parametrize(
    ("goal", "drop"), [("0.5 points", 0.5), (" 1 pt", 1.0), ("60x", None), ("6000 kept", None)]
)
def test_a_goal_in_points_is_an_allowed_drop(goal: str, drop: float | None):
    assert drop_of(GoalRequest(goal), START) == drop
    assert drop_of(GoalRequest(goal, TOLERANCE), START) is None


@pytest.mark.parametrize(
    "request_", [GoalRequest("101 points"), GoalRequest("1 point", "sensitivity")]
)
def test_a_drop_that_cannot_be_is_refused(request_: GoalRequest):
    with pytest.raises(InputError):
        drop_of(request_, START)


def test_a_plan_meets_its_goal_and_keeps_locks():
    state = replace(START.set_plan(dict.fromkeys(START.layer_names, 0.1)), locked={"conv1"})
    plan = plan_of(GoalRequest("20x", "magnitude"), state)
    assert replace(state, plan=plan).footprint.ratio == pytest.approx(20, rel=0.01)
    assert plan["conv1"] == 0.1


def test_a_tolerance_needs_a_scan():
    request = GoalRequest(method=TOLERANCE)
    with pytest.raises(InputError, match="scan"):
        plan_of(request, START)
    assert plan_of(request, START.with_scan(START.base.digest, scanned(5_000)))
    with pytest.raises(InputError, match="loading"):
        plan_of(request, State())


def test_a_preview_shows_the_problem_the_drop_or_the_plan():
    assert "no such goal" in text_of(preview_lines(GoalRequest(), "no such goal", START, 60))
    assert "98.18 %" in text_of(preview_lines(GoalRequest(drop=1.0), "", START, 60))
    planned = text_of(preview_lines(GoalRequest(plan=AGGRESSIVE), "", START, 70))
    assert f"{START.set_plan(AGGRESSIVE).footprint.ratio:.2f}x" in planned
    assert "whole layer" not in planned
    emptied = GoalRequest(plan=AGGRESSIVE | {"conv2": 1.0, "fc1": 1.0})
    assert "· removes 2 whole layers" in text_of(preview_lines(emptied, "", START, 60))
    for state in (GoalRequest(), GoalRequest(drop=1.0), GoalRequest(plan=AGGRESSIVE)):
        assert len(preview_lines(state, "", START, 46)) == 3


def test_help_lists_every_key_under_its_group_once():
    lines = [text_of([line]) for line in help_lines(history_help(), 200)]
    for key in HISTORY_KEYS:
        assert sum(line.endswith(f"  {key.tooltip}") for line in lines) == 1
        assert lines.count(key.group) == 1
    assert all(any(line.startswith(f"  {name}") for line in lines) for name, _ in SYMBOLS)
