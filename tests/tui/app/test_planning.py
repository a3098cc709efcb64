"""Setting sparsities by keyboard and mouse."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from tests.tui.conftest import idle, ready, shown
from tests.tui.scripted_nets import AGGRESSIVE
from tui.widgets.inputs.value_input import ValueInput
from tui.widgets.layer_table import LayerTable


async def test_arrows_letters_and_brackets_move_the_plan(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("down", "j", "k", "right", "right", "left", "right_square_bracket")
        assert app.state.chosen == 1
        assert app.state.planned["conv2"] == pytest.approx(0.06)
        await pilot.press("left_square_bracket", "left", "left")
        assert app.state.planned["conv2"] == 0
        await pilot.press("u", "u")
        assert app.state.planned["conv2"] == pytest.approx(0.06)
        await pilot.press("U", "equals_sign")
        assert set(app.state.planned.values()) == {app.state.planned["conv2"]}
        await pilot.press("backspace")
        assert app.state.planned["conv2"] == 0
        assert app.state.planned["fc1"] == pytest.approx(0.01)


async def test_an_exact_value_is_typed_checked_and_taken(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("9", "7", "full_stop", "2", "5", "enter")
        assert app.state.planned["conv1"] == 0.9725
        await pilot.press("1", "0", "1", "enter")
        assert app.main_screen.query_one(ValueInput).display
        assert app.state.planned["conv1"] == 0.9725
        await pilot.press("q", "m", "escape")
        assert not app.main_screen.query_one(ValueInput).display
        assert app.state.planned["conv1"] == 0.9725
        await pilot.press("right")
        assert app.state.planned["conv1"] == 0.9825


async def test_a_typed_value_is_for_the_layer_that_was_asked_about(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("5")
        app.main_screen.query_one(LayerTable).post_message(LayerTable.MouseAction(2, steps=1))
        await pilot.press("enter")
        assert app.state.planned["conv1"] == 0.05
        assert app.state.planned["conv3"] == 0.01


async def test_the_line_for_a_value_closes_when_the_keys_go_elsewhere(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("5", "tab")
        await pilot.pause()
        assert not app.main_screen.query_one(ValueInput).display
        await pilot.press("right")
        assert app.state.planned["conv1"] == 0.01


async def test_a_typed_value_below_the_floor_is_refused(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await idle(pilot)
        await pilot.press("a", "6", "4", "enter")
        assert app.main_screen.query_one(ValueInput).display
        await pilot.press("backspace", "5", "enter")
        assert not app.main_screen.query_one(ValueInput).display
        assert app.state.planned["conv1"] == 0.65


async def test_a_preset_is_chosen_by_keyboard(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter")
        assert app.state.planned == AGGRESSIVE
        await pilot.press("m", "escape")
        assert app.state.planned == AGGRESSIVE
        await pilot.press("u")
        assert set(app.state.planned.values()) == {0.0}


async def test_presets_leave_locked_layers_alone(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("4", "0", "enter", "l", "m", "down", "enter")
        assert app.state.planned == {**AGGRESSIVE, "conv1": 0.4}


async def test_the_mouse_chooses_layers_and_sets_sparsities(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.click(LayerTable, offset=(4, 5))
        assert app.state.chosen == 3
        row = shown(app, "#table").splitlines()[4]
        bar = row.index("·")
        await pilot.click(LayerTable, offset=(bar + row.count("·") // 2, 4))
        assert app.state.chosen == 2
        assert app.state.planned["conv3"] == pytest.approx(0.5, abs=0.1)
        await pilot.click(LayerTable, offset=(4, 1))
        assert app.state.chosen == 2
        table = app.main_screen.query_one(LayerTable)
        place = (4, 2, 0, 0, 0, False, False, False)
        for scroll in (MouseScrollUp, MouseScrollUp, MouseScrollDown):
            table.post_message(scroll(table, *place))
        await pilot.pause()
        assert app.state.planned["conv1"] == 0.01
