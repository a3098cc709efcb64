"""Jobs, messages and the footer of the app, over scripted jobs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input

from core.errors import InputError
from core.events import Batch, Epoch, Notice, Progress
from core.nets.footprint import DeadUnits
from core.settings.recipe_changes import RecipeChanges
from tests.tui.conftest import framed, idle, ready, shown, until
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import PRUNED, course
from tui.app import FeatherweightApp
from tui.jobs.job import Job, JobEnded, JobEvent
from tui.screens.help.screen import HelpScreen
from tui.screens.question import Question
from tui.screens.recipe_dialog import RecipeDialog
from tui.views.activity import JobProgress
from tui.widgets.key_line import KeyLine

pytestmark = pytest.mark.slow


async def test_prune_then_finetune_shows_before_and_after(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "p")
        await idle(pilot)
        assert "11.35 % on test" in shown(app, "#activity")
        await pilot.press("f")
        await idle(pilot)
        assert backend.started == ["prune", "finetune"]
        assert "test 11.35 → 99.31 %" in shown(app, "#activity")
        assert "fine-tuned 99.31" in shown(app, "#scoreboard")
        assert "36.88x" in framed(app, "#scoreboard")[0]
        await pilot.press("right")
        assert "fine-tuned 99.31 at 36.88x" in shown(app, "#scoreboard")


async def test_reconstruction_is_a_state_that_fine_tuning_starts_from(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "R")
        await idle(pilot)
        assert "reconstructed, 36.88x: 98.09 % on test (-1.32 vs. dense)" in shown(app, "#activity")
        assert "reconstructed 98.09 (-1.32)  tuned –" in shown(app, "#scoreboard")
        assert "from reconstructed, 5 epochs" in shown(app, "#title")
        assert app.state.net is app.state.reconstructed.net
        await pilot.press("f")
        await idle(pilot)
        assert backend.started == ["reconstruct", "finetune reconstructed"]
        assert backend.known_accuracies == [None, PRUNED]
        assert "test 98.09 → 99.31 %" in shown(app, "#activity")
        assert "recon. 98.09  fine-tuned 99.31 (-0.10)" in shown(app, "#scoreboard")
        await pilot.press("u", "u")
        assert app.state.reconstructed is None
        assert "recon" not in shown(app, "#scoreboard")
        await pilot.press("U", "a")
        assert app.state.base.reconstructed
        assert "base: reconstructed" in shown(app, "#title")
        await pilot.press("f")
        await idle(pilot)
        assert backend.started[2:] == ["finetune"]


async def test_the_size_without_dead_units_shows_once_they_are_counted(app, backend):
    backend.dead = DeadUnits({"fc1": 200, "conv1": 12}, nonzero=283, parameters=100_000)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter")
        assert "dead" not in framed(app, "#scoreboard")[0]
        await pilot.press("p")
        await idle(pilot)
        assert " · 212 dead" in framed(app, "#scoreboard")[0]
        await pilot.press("f")
        await idle(pilot)
        assert " · 212 dead" in framed(app, "#scoreboard")[0]
        await pilot.press("right")
        assert "dead" not in framed(app, "#scoreboard")[0]


async def test_adopting_makes_the_zeros_a_floor_and_dense_takes_it_back(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await idle(pilot)
        dense = app.state.base
        await pilot.press("a", "left", "backspace")
        assert app.state.adopted
        assert app.state.planned["conv1"] == 0.65
        assert "floor" in shown(app, "#table")
        await pilot.press("r", "backspace")
        assert app.state.base is dense
        assert app.state.planned["conv1"] == 0


async def test_jobs_exclude_one_another_but_keys_go_on(app, backend):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("p", "f", "t", "a", "r", "right", "v", "down")
        assert backend.started == ["finetune"]
        assert app.state.chosen == 1
        assert not isinstance(app.screen, Question)
        backend.go.set()
        await idle(pilot)


async def test_undo_during_fine_tuning_keeps_the_curve(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await idle(pilot)
        first = app.state.curve
        backend.pause_at = 50
        await pilot.press("right", "right", "f")
        await until(pilot, lambda app: backend.paused.is_set() and app.state.curve.epochs)
        running = app.state.curve
        await pilot.press("u", "u", "u", "U")
        assert app.state.curve is running is not first
        backend.go.set()
        await idle(pilot)
        assert len(app.state.curve.epochs) == 5


async def test_stopping_keeps_the_best_epoch(app, backend):
    backend.pause_at = 130
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: app.state.curve.best)
        await pilot.press("x")
        assert "stopping" in shown(app, "#activity")
        backend.go.set()
        await idle(pilot)
        assert "stopped early" in shown(app, "#activity")
        backend.paused.clear()
        backend.go.clear()
        backend.pause_at = 0
        await pilot.press("s")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("x")
        assert app.job.stopping, "a scan has no net that a stop would spoil"
        backend.go.set()
        await idle(pilot)


async def test_a_stop_before_the_full_plan_is_asked_for(app, backend):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        for answer in ("enter", "escape", "n"):
            await pilot.press("x")
            text = app.screen.query_one(".dialog--title").content
            assert "what is left is pruned without training" in text
            assert "Epoch 3 of 5 is the first to end there, in about" in text
            await pilot.press(answer)
            assert app.screen is app.main_screen
            assert not app.job.stopping
        await pilot.press("x", "y")
        assert "stopping" in shown(app, "#activity")
        backend.go.set()
        await idle(pilot)
        assert "stopped early" in shown(app, "#activity")
        assert app.state.finetuned is not None


async def test_training_asks_first_and_gives_a_new_base(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("t", "escape")
        assert backend.started == []
        await pilot.press("t", "down", "right", "enter")
        await idle(pilot)
        assert backend.started == ["train"]
        assert backend.recipes == [("fast", RecipeChanges(epochs=7))]
        assert app.state.dense.accuracy.test == 99.45
        assert app.state.base is app.state.dense


@pytest.mark.logs_errors
async def test_a_failing_job_shows_its_error_and_the_next_one_works(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        backend.error = ZeroDivisionError("out of luck")
        await pilot.press("p")
        await idle(pilot)
        assert "ZeroDivisionError: out of luck" in shown(app, "#activity")
        backend.error = InputError("the data are gone: fetch them again")
        await pilot.press("p")
        await idle(pilot)
        assert "the data are gone: fetch them again" in shown(app, "#activity")
        await pilot.press("p")
        await idle(pilot)
        assert "11.35 % on test" in shown(app, "#activity")


async def test_messages_go_to_whoever_started_the_job(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        before, ends, events = app.state, [], []
        job = Job(course, app.post_message, ends.append, events.append)
        batch = Batch(1, 5, 10, 100, 0.1, 99.0, 1.0)
        app.post_message(JobEvent(job, batch))
        app.post_message(JobEnded(job, 7))
        await pilot.pause()
        assert events == [batch]
        assert [end.value for end in ends] == [7]
        assert app.state == before


async def test_events_of_a_job_wait_for_the_next_redraw(app, backend):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.pause(0.5)
        refreshes = []
        for widget in app.main_screen.query("LinesWidget"):
            widget.refresh = lambda *regions, **_: refreshes.append(regions)
        for event in course()[1:40]:
            app.on_job_event(JobEvent(app.job, event))
        assert refreshes == []
        app.main_screen._plots_drawn = 0.0
        app.main_screen._redraw_if_stale()
        once = len(refreshes)
        assert 0 < once < 10
        app.main_screen._redraw_plots()
        assert len(refreshes) == once
        backend.go.set()


async def test_a_loss_that_is_not_finite_is_a_warning_not_a_crash(app, backend):
    good, bad = course()[:50], course()[50:60]
    warning = Notice("the loss is not finite: training has diverged", warning=True)
    backend.events = [*good, *(replace(batch, loss=math.nan) for batch in bad), warning]
    backend.pause_at, backend.diverged = len(backend.events), True
    backend.events.append(bad[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: "the loss is not finite" in shown(app, "#activity"))
        backend.go.set()
        await idle(pilot)
        assert "the loss diverged" in shown(app, "#activity")
        assert "99.31" in shown(app, "#scoreboard")


async def test_the_pruned_accuracy_is_shown_as_soon_as_it_is_measured(app, backend):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: "pruned 11.35" in shown(app, "#scoreboard"))
        backend.go.set()


async def test_a_key_that_changes_no_offer_leaves_the_line_of_keys_alone(app, monkeypatch):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        drawn = []
        monkeypatch.setattr(KeyLine, "refresh", lambda *regions: drawn.append(1))
        await pilot.press("right", "down", "u", "v")
        assert drawn == []
        await pilot.press("5")
        assert drawn == [1]


async def test_the_line_of_keys_can_be_clicked_and_explains_itself(app):
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(pilot)
        keys = shown(app, "#keys")
        await pilot.hover("#keys", offset=(keys.index("preset"), 0))
        assert app.main_screen.query_one(KeyLine).tooltip == "Apply a ready-made plan"
        await pilot.hover("#keys", offset=(99, 0))
        assert app.main_screen.query_one(KeyLine).tooltip is None
        await pilot.click("#keys", offset=(keys.index("help"), 0))
        assert isinstance(app.screen, HelpScreen)


async def test_no_key_is_offered_while_a_value_is_typed(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("5")
        assert shown(app, "#keys").strip() == ""
        await pilot.press("escape")
        assert shown(app, "#keys").split() == ["p", "prune", "f", "tune", "R", "recon.", "│",
            "m", "preset", "g", "goal", "s", "scan", "│", "v", "plot", "h", "runs", "?", "help",
            "q", "quit"]  # fmt: skip


async def test_another_theme_recolors_every_line(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)

        def colours(widget: str) -> set[str]:
            strip = app.main_screen.query_one(widget).render_line(0)
            return {str(segment.style) for segment in strip if segment.style}

        before = {widget: colours(widget) for widget in ("#title", "#table", "#keys")}
        app.theme = "textual-light"
        await pilot.pause()
        for widget, styles in before.items():
            assert not styles & colours(widget)


async def test_help_lists_every_key_and_closes(app):
    async with app.run_test(size=(120, 50)) as pilot:
        await ready(pilot)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        assert app.screen is app.main_screen


async def test_quitting_asks_only_while_a_job_runs(app, backend):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("q")
        assert isinstance(app.screen, Question)
        await pilot.press("ctrl+q")
        assert isinstance(app.screen, Question)
        for key in ("n", "enter"):
            await pilot.press(key)
            assert app.screen is app.main_screen
            await pilot.press("q")
        await pilot.press("escape", "ctrl+c")
        assert "x stops the job · q quits" in shown(app, "#activity")
        backend.go.set()
        await idle(pilot)
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running


async def test_while_loading_keys_are_answered_and_quitting_does_not_ask():
    backend = Scripted()
    backend.opening = backend.go
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: isinstance(app.activity, JobProgress))
        await pilot.press("right", "p", "u", "5", "v")
        assert app.state.base is None
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running
        backend.go.set()


async def test_resizing_keeps_the_plan_and_the_results(app):
    async with app.run_test(size=(160, 50)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await idle(pilot)
        before = app.state
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert app.state == before
        assert "36.88x" in shown(app, "#scoreboard")


def test_a_waiting_message_gives_way_only_to_a_newer_of_its_kind():
    job, other = (Job(course, print, print) for _ in range(2))
    batch = Batch(1, 5, 256, 55_000, 0.1, 99.0, 1.0)
    first, second = JobEvent(job, batch), JobEvent(job, replace(batch, seen=512))
    assert first.can_replace(second)
    assert not first.can_replace(JobEvent(other, batch))
    assert not first.can_replace(JobEvent(job, replace(batch, epoch=2)))
    assert not first.can_replace(JobEvent(job, Epoch(1, 0.1, 99.0, 1.0, 0.5, True, 0)))
    assert not first.can_replace(JobEnded(job))
    step = JobEvent(job, Progress("read", 1, 2, "B"))
    assert step.can_replace(JobEvent(job, Progress("read", 2, 2, "B")))
    assert not step.can_replace(JobEvent(job, Progress("check", 1, 2, "B")))


async def test_keys_typed_ahead_of_an_input_line_reach_the_screen(app):
    """They arrive in one read over a slow connection, before the line has closed."""
    typed = {"5": "5", "0": "0", "enter": "\r", "equals_sign": "=", "7": "7", "escape": "\x1b"}
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for key in ("5", "0", "enter", "equals_sign", "down", "7", "escape", "down"):
            app.post_message(events.Key(key, typed.get(key)))
        await until(pilot, lambda app: set(app.state.planned.values()) == {0.5})
        await until(pilot, lambda app: app.state.listing.row.layers == (2,))


async def test_keys_typed_ahead_of_a_dialog_edit_its_text_in_their_order(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("g")
        for key in (*["backspace"] * 8, "9", "backspace", "6", "0", "x"):
            app.post_message(events.Key(key, key if len(key) == 1 else "\x7f"))
        await until(pilot, lambda app: app.screen.query_one("#goal", Input).value == "60x")


async def test_an_untrained_net_shows_its_layers_and_asks_before_it_is_trained(app, backend):
    backend.trained = False
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: isinstance(app.screen, RecipeDialog))
        assert "conv2" in shown(app, "#table")
        assert "Train cnn5 on mnist now?" in app.screen.query_one(".dialog--title").content
        assert "rewind" not in {row.name for row in app.screen.form.rows()}
        await pilot.press("down", "right", "enter")
        await idle(pilot)
        assert backend.recipes == [("fast", RecipeChanges(epochs=7))]
        assert app.state.curve.planned == 7
        assert app.state.base.trained
        assert app.activity.role == "good"


async def test_declining_leaves_the_net_untrained_and_says_how_to_train_it(app, backend):
    backend.trained = False
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: isinstance(app.screen, RecipeDialog))
        await pilot.press("escape")
        await idle(pilot)
        assert backend.started == []
        assert "dense, untrained" in shown(app, "#title")
        assert (app.activity.role, app.activity.detail[:13]) == ("warning", "t to train it")
