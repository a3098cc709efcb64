"""Runs of the history annotated and deleted, on a real disk."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from core.errors import InputError
from tests.tui.history.histories import (
    AGGRESSIVE,
    Host,
    clipped,
    closed,
    line,
    ready,
    record,
    settled,
    text,
    tuning,
    until,
)
from tui.screens.question import Question

pytestmark = [pytest.mark.usefixtures("soon"), pytest.mark.slow]


# Notes


async def test_a_note_is_saved(mine):
    app = Host(mine)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "end", "n", "x", "?", "enter")
        assert mine.find("0001").note == "x?"
        assert "x?" in line(pilot, "0001")
        assert "note saved for run 0001" in text(pilot)
        assert app.pruned == 0
        await ready(pilot, "n", "backspace", "backspace", "enter")
        assert mine.find("0001").note == ""
        assert "note removed from run 0001" in text(pilot)


async def test_a_note_can_be_left_as_it_was(few):
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "down", "n", "a", "b")
        assert app.history.query_one(Input).value == "firstab"
        assert not app.history.query_one(Input).cursor_blink
        assert "Esc cancel" in text(pilot)
        await ready(pilot, "escape")
        assert few.find("0001").note == "first"
        await ready(pilot, "n", "enter")
        assert "saved" not in text(pilot)
        await ready(pilot, "q")
        assert await closed(pilot) is None


async def test_lines_of_a_note_are_kept_where_nothing_is_typed(few):
    few.annotate(few.find("2"), "one\ntwo")
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "n", "enter")
        assert few.find("2").note == "one\ntwo"
        assert "one two" in line(pilot, "0002")


async def test_keys_that_come_in_one_go_keep_their_order(few):
    app = Host(few)

    def at_once(*keys: str) -> None:
        for key in keys:
            app.post_message(events.Key(key, key if len(key) == 1 else None))

    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        at_once("down", "n", "x", "q", "p", "backspace", "enter")
        await until(pilot, lambda: few.find("1").note != "first")
        assert few.find("1").note == "firstxq"
        await settled(pilot)
        at_once("up", "delete", "n")
        await settled(pilot)
        assert (app.screen, app.history.typing) == (app.history, False)
        assert len(few.runs()) == 2
        at_once("backspace", "y")
        await until(pilot, lambda: len(few.runs()) == 1)
        assert app.pruned == 0


async def test_a_note_that_cannot_be_saved_is_reported(few):
    app = Host(few)
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot, "n", "a")
        few.delete(few.find("2"))
        await ready(pilot, "enter")
        assert "0002" in " ".join(text(pilot).split())
        assert clipped(pilot) == []
        assert app.history.run_list.at == "0001"


# Deleting


async def test_deleting_asks_first(mine):
    app = Host(mine)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "end", "up", "up", "x")
        assert app.screen is app.history
        assert "press Delete" in text(pilot)
        await ready(pilot, "delete")
        assert isinstance(app.screen, Question)
        assert "Delete run 0003 (36.9x, 99.30 %)?" in text(pilot)
        assert "Runs that started from its net are kept: 0012." in text(pilot)
        for key in ("n", "enter", "escape", "q"):
            await ready(pilot, key)
            assert app.screen is app.history
            assert mine.find("3").finished
            await ready(pilot, "delete")
        await ready(pilot, "n")
        await ready(pilot, "delete", "y")
        with pytest.raises(InputError):
            mine.find("3")
        assert app.history.run_list.at == "0002"
        assert "run 0003 deleted" in text(pilot)
        assert "11 runs" in text(pilot)


async def test_a_damaged_run_can_be_deleted(mine):
    app = Host(mine)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "down", "down")
        assert "unreadable: press Delete to delete it" in text(pilot)
        await ready(pilot, "enter", "space", "delete")
        assert "Delete run 0010?" in text(pilot)
        await ready(pilot, "y")
        assert "0010" not in {run.id for run in mine.runs()}


async def test_the_last_run_deleted_leaves_a_welcome(few):
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "delete", "y")
        await ready(pilot, "delete", "y")
        assert few.runs() == ()
        assert "No runs yet" in text(pilot)


async def test_a_running_run_is_left_alone(few):
    app = Host(few)
    with few.begin(record(tuning(AGGRESSIVE))) as writer:
        async with app.run_test(size=(80, 24)) as pilot:
            await ready(pilot, "delete")
            assert "run 0003 is running" in text(pilot)
            await ready(pilot, "up", "enter")
            assert app.result == "open"
            assert "still running: you can open it once it finishes" in text(pilot)
            await ready(pilot, "n", "a", "enter")
            assert few.find("3").note == "a"
    writer.abandon() if writer.held else None


async def test_a_run_deleted_meanwhile_is_reported(few):
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "delete")
        few.delete(few.find("2"))
        await ready(pilot, "y")
        assert "0002" in " ".join(text(pilot).split())
