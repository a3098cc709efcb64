"""An error is shown and logged, and affects only its panel or key."""

from __future__ import annotations

import asyncio
import sys

import pytest
from textual import events
from textual.screen import Screen
from textual.widgets import Input, Label

from tests.tui.conftest import idle, ready, shown, until
from tests.tui.history.histories import CSS
from tui.app import FeatherweightApp
from tui.cli.commands import app as app_command
from tui.cli.main import main
from tui.screens.goal_dialog import GoalDialog
from tui.screens.main import MainScreen
from tui.screens.path_dialog import PathDialog
from tui.screens.question import Choice, Question
from tui.system.error_log import SIZE_LIMIT, log_error
from tui.widgets.inputs.line_input import LineInput
from tui.widgets.lines import LinesWidget

pytestmark = pytest.mark.slow

logs_errors = pytest.mark.logs_errors


def fails(*_: object, **__: object) -> None:
    raise LookupError("nothing [/b] here")


def messages(app: FeatherweightApp) -> list[str]:
    """What was said after the net was opened."""
    assert len(app._notifications) <= 1
    return [text for text in app.session.messages.texts if not text.startswith("ready: ")]


@logs_errors
@pytest.mark.parametrize("name", ["title", "scoreboard", "activity", "table"])
async def test_a_panel_that_cannot_be_drawn_says_so_and_the_others_go_on(
    app, monkeypatch, error_log, name
):
    widgets = {"table": "layer_table", "scoreboard": "scoreboard"}
    where = f"tui.widgets.{widgets[name]}" if name in widgets else "tui.screens.main"
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(f"{where}.{name}", fails)
            await pilot.press("right", "right")
            assert "LookupError: nothing [/b] here (details in" in shown(app, f"#{name}")
        assert app.state.planned["conv1"] == pytest.approx(0.02)
        others = {"title": "Featherweight", "scoreboard": "dense", "table": "conv1"}
        assert all(
            text in shown(app, f"#{panel}") for panel, text in others.items() if panel != name
        )
        await pilot.press("right")
        assert "LookupError" not in shown(app, f"#{name}")
    log = error_log.read_text()
    assert log.count("Traceback") == 1
    assert "in fails" in log


@logs_errors
async def test_a_plot_that_cannot_be_drawn_says_so_until_it_can(app, monkeypatch):
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        with monkeypatch.context() as patch:
            patch.setattr("tui.plots.histogram.draw_counts", fails)
            await pilot.press("right")
            await until(pilot, lambda app: "LookupError" in shown(app, "#plot-0"))
            await until(pilot, lambda app: not app.main_screen.stale)
            assert "epoch" in shown(app, "#plot-1")
        await pilot.press("right")
        await until(pilot, lambda app: "kept 784" in shown(app, "#plot-0"))


@logs_errors
async def test_a_widget_that_cannot_be_rendered_leaves_the_rest_of_the_screen(app, monkeypatch):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        table = app.main_screen.query_one("#table")
        monkeypatch.setattr(table, "render_line", fails)
        await pilot.press("right")
        await pilot.pause()
        strips = app.main_screen._compositor.render_strips(app.size)
        rows = ["".join(segment.text for segment in strip) for strip in strips]
        assert any("LookupError" in row for row in rows)
        assert any("preset" in row for row in rows)


@logs_errors
async def test_a_failing_action_is_reported_and_the_next_key_works(app, monkeypatch):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        monkeypatch.setattr(app.program, "help", fails)
        await pilot.press("question_mark", "question_mark")
        await pilot.pause()
        (said,) = messages(app)
        assert said.startswith("LookupError: nothing [/b] here (details in ")
        await pilot.press("right")
        assert app.state.planned["conv1"] == pytest.approx(0.01)


async def test_a_question_that_its_job_closes_before_it_is_laid_out_says_nothing(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        question = Question("Stop it?", "Stop", "Keep running")
        app.push_screen(question)
        question.dismiss(False)
        await pilot.pause()
        assert messages(app) == []
        assert app.screen is app.main_screen


async def test_a_key_typed_while_a_question_opens_reaches_it_once_it_is_laid_out(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        key = events.Key("up", None)
        key._set_forwarded()  # from the table, which does not handle it
        question = Question("Stop it?", "Stop", "Keep running")
        app.push_screen(question)
        await app.on_event(key)
        assert question.marked
        assert messages(app) == []


@logs_errors
async def test_errors_in_messages_workers_timers_and_screens_are_contained(
    app, monkeypatch, error_log
):
    class Broken(Screen[None]):
        BINDINGS = [("escape", "dismiss", "close")]
        compose = fails

    async def work() -> None:
        raise KeyError("worker")

    def tick() -> None:
        raise KeyError("timer")

    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        monkeypatch.setattr(MainScreen, "on_resize", fails)
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda _: error_log.exists())
        app.run_worker(work)
        app.set_timer(0.01, tick)
        app.push_screen(Broken())
        await until(pilot, lambda _: error_log.read_text().count("Traceback") == 4)
        await pilot.press("escape", "right")
        await until(pilot, lambda app: app.state.planned["conv1"] > 0)
    log = error_log.read_text()
    assert all(text in log for text in ("KeyError: 'worker'", "KeyError: 'timer'", "LookupError"))


async def test_an_error_in_a_worker_of_a_closed_screen_is_not_shown(app):
    go = asyncio.Event()

    async def work() -> None:
        try:
            await go.wait()
        finally:
            raise KeyError("too late")

    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("question_mark")
        worker = app.screen.run_worker(work)
        await pilot.press("escape")
        go.set()
        await until(pilot, lambda _: worker.is_finished)
        assert messages(app) == []


@logs_errors
async def test_an_error_while_a_job_runs_leaves_it_running(app, backend, monkeypatch):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        with monkeypatch.context() as patch:
            patch.setattr(app.main_screen, "show", fails)
            await pilot.press("right")
        backend.go.set()
        await idle(pilot)
        assert app.state.finetuned is not None


@logs_errors
async def test_a_failing_job_result_is_reported_and_the_next_job_works(app, monkeypatch):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        with monkeypatch.context() as patch:
            patch.setattr("tui.views.job_outcomes.pruned", fails)
            await pilot.press("p")
            await idle(pilot)
            assert "LookupError" in shown(app, "#activity")
        await pilot.press("p")
        await idle(pilot)
        assert "11.35 % on test" in shown(app, "#activity")


@logs_errors
def test_a_fatal_error_is_one_line_and_status_1(monkeypatch, capsys, error_log):
    class Broken(FeatherweightApp):
        CSS_PATH = CSS
        on_mount = fails

        def run(self, **_: object) -> None:
            super().run(headless=True)

    monkeypatch.setattr("tui.app.FeatherweightApp", Broken)
    monkeypatch.setattr(app_command, "has_terminal", lambda: True)
    assert main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("featherweight: LookupError: nothing [/b] here (details in ")
    assert len(said.splitlines()) == 1
    assert "in fails" in error_log.read_text()


@logs_errors
def test_an_error_is_logged_once_and_the_log_begins_anew_when_it_is_large(error_log):
    def come_up(text: str) -> str:
        try:
            raise LookupError(text)
        except LookupError as error:
            return log_error(error)

    assert [come_up(text).partition(" (")[0] for text in ("one", "two\nlines")] == [
        "LookupError: one",
        "LookupError: two lines",
    ]
    assert error_log.read_text().count("Traceback") == 1
    error_log.write_bytes(bytes(SIZE_LIMIT + 1))
    try:
        fails()
    except LookupError as error:
        log_error(error)
    assert error_log.stat().st_size < SIZE_LIMIT
    assert error_log.with_suffix(".old").stat().st_size > SIZE_LIMIT


def test_an_unwritable_log_is_reported(error_log):
    error_log.parent.parent.mkdir(parents=True)
    error_log.parent.write_text("a file where a folder would be")
    assert "(not logged: " in log_error(LookupError("x"))


# What has ended the program


async def test_lines_whose_spans_alone_differ_are_not_drawn_again(app, monkeypatch):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        title, drawn = app.main_screen.query_one("#title", LinesWidget), []
        title.lines = ((("ab", "plain"), ("c", "plain")),)
        monkeypatch.setattr(title, "refresh", lambda *regions: drawn.extend(regions))
        title.lines = ((("a", "plain"), ("bc", "plain")),)
        assert drawn == []
        title.lines = ((("a", "plain"), ("bd", "plain")),)
        assert [tuple(region) for region in drawn] == [(2, 0, 1, 1)]


@pytest.mark.parametrize("keys", [("escape",), ("n", "o", "escape"), ("enter", "escape", "escape")])
async def test_closing_a_goal_dialog_cancels_its_preview(app, keys):
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        for key in ("g", *keys):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda app: not isinstance(app.screen, GoalDialog))
        await pilot.pause(0.1)
        assert app.screen is app.main_screen


async def test_a_dialog_closes_once_however_many_keys_ask_for_it(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m")
        dialog = app.screen
        assert isinstance(dialog, Choice)
        dialog.dismiss("aggressive")
        dialog.dismiss(None)
        dialog.dismiss(None)
        await until(pilot, lambda app: app.state.planned["conv1"] > 0)
        assert app.screen is app.main_screen


async def test_paths_are_not_markup(app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[").mkdir()
    path = tmp_path / "[" / "b].toml"
    path.write_text("")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("w")
        assert isinstance(app.screen, PathDialog)
        app.screen.query_one(Input).value = "[/b].toml"
        await pilot.press("enter")
        await until(pilot, lambda app: isinstance(app.screen, Question))
        texts = [str(label.render()) for label in app.screen.query(Label)]
        assert texts[0].startswith("[/b].toml ")
        await pilot.press("y")
        await until(pilot, lambda app: path.read_text())
        assert "[/b].toml" in shown(app, "#activity")


async def test_notices_during_a_job_are_not_markup(app, backend, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend.pause_at = 60
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("w")
        app.screen.query_one(Input).value = "[b].toml"
        await pilot.press("enter")
        await until(pilot, lambda app: messages(app))
        assert "[b].toml" in "".join(messages(app))
        await pilot.pause(0.1)
        backend.go.set()


def typed(app: FeatherweightApp, text: str) -> None:
    for character in text:
        app.post_message(events.Key(character, character))


async def test_a_burst_of_keys_triggers_no_action(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        typed(app, "j" * 50_000)
        await until(pilot, lambda app: messages(app))
        assert messages(app)[0].startswith("ignored ")
        assert int(messages(app)[0].split()[1].replace(",", "")) > 40_000
        await pilot.press("right")
        assert app.state.planned["fc2"] == pytest.approx(0.01)


async def test_an_open_input_takes_a_burst_of_keys_as_pasted_text(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("w")
        box = app.screen.query_one(Input)
        box.value = ""
        typed(app, "x" * 300)
        await until(pilot, lambda _: len(box.value) >= 300)
        assert box.value == "x" * 300
        typed(app, "y" * 50_000)
        await until(pilot, lambda app: app.key_burst.timer is None)
        await pilot.pause(0.1)
        assert len(box.value) <= box.max_length


async def test_queued_keys_are_not_a_burst(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for _ in range(60):
            app.post_message(events.Key("right", None))
        await until(pilot, lambda app: app.state.planned["conv1"] == pytest.approx(0.6))


def test_every_input_line_limits_its_length():
    assert all(kind.MOST > 0 for kind in LineInput.__subclasses__())


async def test_textual_draws_on_stdout_if_stderr_is_a_file(monkeypatch):
    drawn: list[object] = []

    class Drawn(FeatherweightApp):
        def run(self, **_: object) -> None:
            drawn.append(sys.__stderr__.fileno())

    monkeypatch.setattr("tui.app.FeatherweightApp", Drawn)
    monkeypatch.setattr(app_command, "has_terminal", lambda: True)
    monkeypatch.setattr(sys, "__stderr__", sys.__stderr__)
    assert main([]) == 0
    assert drawn == [sys.__stdout__.fileno()]
