"""Messages about plans and keys, and how long they last."""

from __future__ import annotations

from tests.tui.conftest import idle, ready, shown, until


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
        assert "prune has to wait for the running job" in shown(app, "#activity")
        assert not app._notifications
        assert backend.started == ["finetune"]
        backend.go.set()
        await idle(pilot)
