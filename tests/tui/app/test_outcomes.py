"""Messages about plans and keys, and how long they last."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from tests.tui.conftest import idle, ready, shown, until
from tests.tui.scripted_nets import PRUNED
from tui.screens.help.screen import HelpScreen
from tui.screens.question import Question


async def test_results_stay_current_when_moves_are_reversed(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g", "enter")
        await until(pilot, lambda app: not app.state.untouched)
        await pilot.press("f")
        await idle(pilot)
        for moves in (
            ("right", "left"),
            ("left", "right"),
            ("down", "left_square_bracket", "right_square_bracket"),
        ):
            await pilot.press(*moves)
            assert app.state.is_current(app.state.finetuned), moves


async def test_a_message_about_a_plan_disappears_with_it(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g", "enter")
        await until(pilot, lambda app: "60x" in app.activity.text)
        await pilot.press("right")
        assert app.activity.text == ""
        await pilot.press("f")
        await idle(pilot)
        await pilot.press("a")
        assert app.activity.text
        await pilot.press("u")
        assert app.activity.text == "undone · U to redo"
        await pilot.press("U", "l")
        assert "conv1 locked" in app.activity.text


async def test_a_key_that_waits_for_a_job_says_so(app, backend):
    backend.pause_at = 5
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("m", "enter", "f")
        await until(pilot, lambda app: backend.paused.is_set())
        await pilot.press("p")
        assert "prune has to wait: fine-tuning to 8.52x is running, x stops it" in shown(
            app, "#activity"
        )
        assert not app._notifications
        assert backend.started == ["finetune"]
        backend.go.set()
        await idle(pilot)


async def running(pilot, backend) -> None:
    """Fine-tune, until the script pauses."""
    backend.pause_at = 60
    await ready(pilot)
    await pilot.press("m", "enter", "f")
    await until(pilot, lambda _: backend.paused.is_set())


async def test_escape_never_stops_a_job(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await running(pilot, backend)
        for answer in ("escape", "enter", "n", "q"):
            await pilot.press("escape")
            assert isinstance(app.screen, Question)
            await pilot.press(answer)
            assert app.screen is app.main_screen
            assert not app.job.stopping
        await pilot.press("*", "escape")
        assert app.screen is app.main_screen, "it closes what is open first"
        await pilot.press("escape", "y")
        assert app.job.stopping
        await pilot.press("escape")
        assert app.screen is app.main_screen
        backend.go.set()
        await idle(pilot)
        await pilot.press("escape")
        assert app.screen is app.main_screen


@pytest.mark.parametrize("keys", [("escape",), ("q",), ("x", "?"), ("q", "f1", "ctrl+q")])
async def test_a_question_about_a_job_closes_with_its_end(app, backend, keys):
    async with app.run_test(size=(80, 24)) as pilot:
        await running(pilot, backend)
        await pilot.press(*keys)
        assert isinstance(app.screen_stack[1], Question)
        backend.go.set()
        await idle(pilot)
        if isinstance(app.screen, HelpScreen):
            await pilot.press("escape")
            await pilot.pause()
        assert app.screen is app.main_screen
        await pilot.press("y")
        assert app.activity.role == "good"


async def test_while_a_job_runs_undo_changes_only_the_plan(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        backend.pause_at = 60
        await ready(pilot)
        await pilot.press("c", "down", "down", "down", "right", "enter", "f")
        await until(pilot, lambda _: backend.paused.is_set())
        recipe = app.state.recipe
        await pilot.press("u")
        assert app.state.recipe == recipe
        assert "undo would change the recipe" in shown(app, "#activity")
        await pilot.press("right", "u")
        assert set(app.state.planned.values()) == {0.0}
        await pilot.press("U")
        assert app.state.planned["conv1"] == pytest.approx(0.01)
        await pilot.press("u")
        backend.go.set()
        await idle(pilot)
        await pilot.press("u", "u", "u")
        assert app.state.recipe != recipe


async def test_messages_replace_one_another_and_are_kept(app, backend):
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await running(pilot, backend)
        await pilot.press("p", "s", "ctrl+c")
        assert shown(app, "#activity").splitlines()[1].strip() == "x stops the job · q quits"
        app.notify("one")
        await pilot.press("h")
        app.notify("two")
        assert app.screen.message.text == "two"
        assert not app._notifications
        await pilot.press("q", "?")
        for text in ("three", "four"):
            app.notify(text)
            await pilot.pause()
        assert [toast.message for toast in app._notifications] == ["four"]
        await pilot.press("escape", "M")
        listed = "\n".join(
            "".join(t for t, _ in line) for line in app.screen.query_one("#help").lines
        )
        places = [listed.index(text) for text in ("four", "three", "two", "one", "scan has")]
        assert places == sorted(places)
        backend.go.set()


async def test_what_prune_has_measured_is_not_measured_again(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "enter", "f")
        await idle(pilot)
        await pilot.press("f")
        await idle(pilot)
        await pilot.press("right", "p")
        await idle(pilot)
        await pilot.press("f")
        await idle(pilot)
        await pilot.press("right", "f")
        await idle(pilot)
        assert backend.known_accuracies == [None, PRUNED, PRUNED, None]


async def test_the_presets_say_what_they_leave_in_three_units(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m")
        offered = app.screen.query_one(OptionList)
        aggressive = str(offered.get_option("aggressive").prompt)
        assert "36.88x lighter · 2.5 % of the weights · 97.5 % sparsity" in aggressive
