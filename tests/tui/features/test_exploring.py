"""Scan, tolerance, goal and the lightest net: how sparsities are found."""

from __future__ import annotations

import pytest
from textual.widgets import Input, Static

from core.lightest.trials import COSTS
from core.pruning.plans import Plan
from tests.tui.conftest import idle, ready, shown, until
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import AGGRESSIVE, MACS, MODERATE, net, scanned
from tui.app import FeatherweightApp
from tui.keys.main_keys import KEYS, fitting, footer_width
from tui.screens.goal_dialog import GoalDialog, GoalRequest, plan_of, preview_lines, suggested
from tui.screens.question import Choice
from tui.state.state import State
from tui.views.activity import JobProgress

pytestmark = pytest.mark.slow


async def typed(pilot, text: str) -> None:
    """Replace the text of the dialog."""
    box = pilot.app.screen.query_one(Input)
    box.value = text
    await pilot.pause()


def said_in_dialog(app: FeatherweightApp) -> str:
    return str(app.screen.query_one("#path-hint", Static).render())


def preview(app: FeatherweightApp) -> str:
    lines = app.screen.query_one("#preview").lines
    return " ".join("".join(span.text for span in line) for line in lines)


async def worked_out(pilot, text: str) -> None:
    await until(pilot, lambda app: text in preview(app))


def kept(app: FeatherweightApp) -> int:
    return app.state.footprint.nonzero


async def test_a_running_scan_draws_its_curves_and_forecasts(app, backend):
    backend.pause_at = 0
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("s")
        await until(pilot, lambda app: app.state.scan and backend.paused.is_set())
        await until(pilot, lambda app: "1,000 of 5,000 images" in shown(app, "#plot-0"))
        assert isinstance(app.activity, JobProgress)
        backend.go.set()
        await idle(pilot)
        assert app.state.scan.exact
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "conv1" in shown(app, "#plot-0")
        assert "images" not in shown(app, "#plot-0")
        await pilot.press("m", "enter")
        assert app.state.forecast is not None
        assert f"pruned about {app.state.forecast:.0f}?" in shown(app, "#scoreboard")
        await until(pilot, lambda app: app.state.estimate and not app.main_screen.stale)
        assert "about" not in shown(app, "#scoreboard")


async def test_a_stopped_scan_keeps_its_curves(app, backend):
    backend.pause_at = 0
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("s")
        await until(pilot, lambda app: backend.paused.is_set())
        await pilot.press("x")
        backend.go.set()
        await idle(pilot)
        assert "stopped early" in app.activity.text
        assert {point.images for point in app.state.scan.points()} == {1_000}


async def test_a_scan_stopped_at_once_reports_no_result(app, backend):
    backend.scan_images = ()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("s")
        await idle(pilot)
        assert app.activity.text == "stopped before anything was measured"


async def test_a_scan_of_other_weights_is_stale(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("s")
        await idle(pilot)
        assert app.state.base_scan is not None
        await pilot.press("m", "down", "enter", "f")
        await idle(pilot)
        await pilot.press("a", "v")
        assert app.state.base_scan is None
        assert app.state.forecast is None
        await until(pilot, lambda app: "stale" in shown(app, "#plot-0"))
        await pilot.press("r")
        assert app.state.base_scan is not None


async def test_the_tolerance_moves_with_plus_and_minus(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("s")
        await idle(pilot)
        await pilot.press("plus", "plus")
        assert app.state.tolerance == 2.0
        await pilot.press("minus", "minus", "minus")
        assert app.state.tolerance == 0.7
        await until(pilot, lambda app: "tolerance 0.7" in shown(app, "#plot-0"))
        await pilot.press(*["minus"] * 6)
        assert app.state.tolerance == 0.05
        await pilot.press(*["plus"] * 14)
        assert app.state.tolerance == 20.0


def test_a_small_dialog_shows_every_layer_in_two_lines():
    state = State().with_dense(net())
    wide, small = (
        preview_lines(GoalRequest(plan=AGGRESSIVE), "", state, width) for width in (80, 46)
    )
    for lines in (wide, small):
        text = " ".join(span.text for line in lines for span in line)
        assert all(f"{name} {100 * AGGRESSIVE[name]:.1f}" in text for name in AGGRESSIVE)
        assert len(lines) == 3


def test_the_suggested_goal_empties_no_layer():
    state = State().with_dense(net())
    assert suggested(state).text == "60x"
    assert suggested(State()).text == "60x"
    layers = {"conv": (8, 1, 1, 1), "fc": (10, 8)}
    small = State().with_dense(net(shapes=layers))
    request = suggested(small)
    plan = plan_of(request, small)
    assert request.text == "5x"
    assert all(profile.what_if(plan[profile.layer.name]).kept for profile in small.profiles)


@pytest.mark.parametrize("method", ["lamp", "magnitude", "erk", "uniform", "han"])
async def test_a_goal_becomes_sparsities_and_undo_takes_them_back(app, method):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        while app.screen._request.method != method:
            await pilot.press("down")
        await typed(pilot, "20x")
        await worked_out(pilot, "20.0")
        assert app.state.untouched
        await pilot.press("enter")
        await until(pilot, lambda app: not isinstance(app.screen, GoalDialog))
        assert kept(app) == 228_010 // 20
        assert f"20x: sparsities set by {method}" in app.activity.text
        await pilot.press("u")
        assert app.state.untouched


async def test_locked_layers_are_left_alone_by_a_goal(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("4", "0", "enter", "l")
        assert "▪conv1" in shown(app, "#table")
        await pilot.press("g")
        await typed(pilot, "30")
        await worked_out(pilot, "30.0")
        await pilot.press("enter")
        await until(pilot, lambda app: not isinstance(app.screen, GoalDialog))
        assert app.state.planned["conv1"] == 0.4
        assert kept(app) == 228_010 // 30


async def test_a_goal_in_multiplications_previews_them(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        await typed(pilot, "25 % macs")
        await worked_out(pilot, "x · 25.0 % macs")
        await pilot.press("enter")
        await until(pilot, lambda app: not isinstance(app.screen, GoalDialog))
        pairs = zip(app.state.layer_names, app.state.what_ifs, strict=True)
        weights = {name: what_if.kept for name, what_if in pairs}
        assert 0.249_9 * MACS.dense < MACS.of(weights) <= 0.25 * MACS.dense
        assert "25 % macs: sparsities set by lamp" in app.activity.text


@pytest.mark.parametrize(
    ("goal", "said"), [("0.05 ms", "0.05 ms: spars"), ("0.001 ms", "at least")]
)
async def test_a_goal_in_time_times_the_layers_first(app, backend, goal, said):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        await typed(pilot, goal)
        await worked_out(pilot, "times the layers on this machine first")
        assert app.state.untouched
        await pilot.press("enter")
        await idle(pilot)
        assert backend.started[-1] == "layer_times"
        assert said in app.activity.text
        assert app.state.untouched == (said == "at least")
        await pilot.press("g")
        await typed(pilot, "0.03 ms")
        await worked_out(pilot, "macs · 0.03 ms")


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("abc", "25 % macs, 1.2M macs or 0.2 ms, or 0.5 points"),
        ("100000x", "394 are never pruned"),
        ("0.5x", "0.5x"),
        ("200 points", "expected 0 to 100"),
    ],
)
async def test_a_goal_that_cannot_be_taken_says_why_and_stays(app, goal, said):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        await typed(pilot, goal)
        await worked_out(pilot, said)
        await pilot.press("enter")
        assert isinstance(app.screen, GoalDialog)
        await pilot.press("escape")
        assert not isinstance(app.screen, GoalDialog)
        assert app.state.untouched


async def test_methods_that_need_a_scan_say_so_and_work_with_one(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g", "down", "down", "down")
        await worked_out(pilot, "needs a scan")
        await pilot.press(*["down"] * 9)
        await worked_out(pilot, "then s")
        await pilot.press("escape", "s")
        await idle(pilot)
        await pilot.press("g", "down", "down", "down")
        await typed(pilot, "10x")
        await worked_out(pilot, "10.0")
        await pilot.press(*["down"] * 9)
        await worked_out(pilot, "conv1")
        await pilot.press("enter")
        await until(pilot, lambda app: not isinstance(app.screen, GoalDialog))
        assert "sparsities set by tolerance" in app.activity.text
        plan: Plan = app.state.planned
        assert plan["conv1"] < plan["conv2"] < plan["fc2"] <= 1


async def chosen(pilot, by):
    """Answer by what the net is to be lightest, and start."""
    await until(pilot, lambda app: isinstance(app.screen, Choice))
    await pilot.press(*["down"] * list(COSTS).index(by), "enter")
    await until(pilot, lambda app: not isinstance(app.screen, Choice))


async def test_the_lightest_net_shows_its_trials_and_takes_the_best(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        await typed(pilot, "0.5 points")
        await worked_out(pilot, "98.68 %")
        await pilot.press("enter")
        await chosen(pilot, "bytes")
        await idle(pilot)
        assert backend.started == ["lightest 0.5 bytes lamp {}"]
        assert "lightest in 2 trials: 7,600 bytes, 99.26 % on validation" in app.activity.text
        assert app.state.planned == MODERATE
        assert app.state.is_current(app.state.finetuned)
        assert "fine-tuned 99.26" in shown(app, "#scoreboard")
        await pilot.press("u", "u")
        assert (app.state.finetuned, app.state.untouched) == (None, True)


async def test_the_lightest_net_comes_with_its_base_and_every_trial_is_told(backend, tmp_path):
    backend.trial_base = net({"conv1": 0.3})
    backend.pause_at, backend.pauses_in = 0, 2
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        await typed(pilot, "0.5 points")
        await worked_out(pilot, "98.68 %")
        await pilot.press("enter")
        await chosen(pilot, "parameters")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(
            pilot, lambda app: "30.0x, 7,600 parameters: 99.26 %" in shown(app, "#activity")
        )
        backend.go.set()
        await idle(pilot)
        assert app.state.base is backend.trial_base
        assert app.state.adopted
        assert app.state.finetuned.footprint == app.state.footprint
        await pilot.press("u")
        assert not app.state.adopted


async def test_the_way_to_the_lightest_net_says_which_trial_runs(backend):
    backend = Scripted(pause_at=3)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        await typed(pilot, "1 point")
        await worked_out(pilot, "98.18 %")
        await pilot.press("enter")
        await chosen(pilot, "parameters")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: "trial 1: 30.0x" in shown(app, "#activity"))
        await pilot.press("x")
        backend.go.set()
        await idle(pilot)
        assert "stopped early" in app.activity.text


def test_only_as_many_keys_as_fit_are_at_the_bottom_and_never_without_quit():
    footer = [key for key in KEYS if key.footer]
    for width in range(15, 200):
        keys = fitting(footer, width)
        assert footer_width(keys) <= width + 1, "the last space may go"
        assert keys[-1].id == "quit"
    assert set(fitting(footer, 200)) == set(footer)
    idle = {"prune", "fine-tune", "presets", "goal", "scan", "next-plot", "open-history", "help"}
    minor = {"recipe", "export", "full-screen"}
    ready = [key for key in footer if key.id in {*idle, *minor, "reconstruct", "quit"}]
    narrow, usual, wide = (fitting(ready, width) for width in (59, 79, 99))
    assert {key.id for key in narrow} == {*idle, "quit"}
    assert {key.id for key in usual} == {key.id for key in wide} == {*idle, "reconstruct", "quit"}
    assert [key.label for key in usual if key.id in ("fine-tune", "reconstruct")] == [
        "tune",
        "recon.",
    ]
    assert set(wide) < set(ready), "minor keys give way before words become shorter"


async def test_a_scan_of_an_earlier_session_is_restored():
    backend = Scripted(stored_scans={"None": scanned(5_000)})
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert app.state.base_scan is not None
        assert backend.started == []


async def test_notices_during_a_job_leave_its_progress_visible(tmp_path):
    backend = Scripted(pause_at=3)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("m", "enter", "f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("w")
        await typed(pilot, str(tmp_path / "mine.toml"))
        await pilot.press("enter")
        assert isinstance(app.activity, JobProgress)
        assert ".toml" in app.activity.said.text
        assert not app._notifications
        backend.go.set()
        await idle(pilot)


async def test_a_stopped_scan_does_not_replace_a_whole_one(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("s")
        await idle(pilot)
        assert app.state.scan.exact
        backend.pause_at = 0
        await pilot.press("s")
        await until(pilot, lambda app: backend.paused.is_set())
        await pilot.press("x")
        backend.go.set()
        await idle(pilot)
        assert app.state.scan.exact
        assert "complete scan from before" in app.activity.text
