"""The window around the screen: its title, and notifications."""

from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Progress
from tests.tui.conftest import idle, ready
from tests.tui.scripted import Scripted
from tui.app import LONG_SECONDS, FeatherweightApp
from tui.preferences.declared import Preferences
from tui.system.terminal_window import BELL, DESKTOP, PLAIN, TerminalWindow
from tui.views.activity import JobProgress, Outcome
from tui.views.panels.title import window_title

XTERM = {"TERM": "xterm-256color"}


def written(environment: dict[str, str]) -> tuple[TerminalWindow, list[str]]:
    texts: list[str] = []
    return TerminalWindow(texts.append, environment), texts


def test_a_title_is_written_once_and_given_back():
    window, texts = written(XTERM)
    window.restore_title()
    assert not texts
    for title in ("one", "one", "two"):
        window.show_title(title)
    window.restore_title()
    window.restore_title()
    assert texts == ["\x1b[22;2t\x1b]2;one\x1b\\", "\x1b]2;two\x1b\\", "\x1b]2;\x1b\\\x1b[23;2t"]


@pytest.mark.parametrize("term", PLAIN)
def test_terminals_without_a_window_get_only_the_bell(term: str):
    window, texts = written({"TERM": term})
    window.show_title("one")
    window.notify(DESKTOP, "done")
    window.restore_title()
    assert not texts
    window.notify(BELL, "done")
    assert texts == ["\a"]


@given(st.text())
def test_no_text_ends_its_sequence(text: str):
    window, texts = written(XTERM)
    window.show_title(f"x{text}")
    window.notify(DESKTOP, text)
    title, notes = texts
    assert title.count("\x1b") == 3
    assert notes.count("\x1b") == 4
    assert notes.count(";") == 4
    assert "\a" not in title + notes
    assert len(title) < 300


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (XTERM, "\x1b]9;done\x1b\\\x1b]777;notify;Featherweight;done\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;Featherweight;done\x1b\\"),
        (XTERM | {"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;done\x1b\\"),
        (
            {"TERM": "xterm-kitty", "TMUX": "/tmp/tmux,1,0"},
            "\x1bPtmux;\x1b\x1b]9;done\x1b\x1b\\\x1b\\",
        ),
    ],
)
def test_a_notification_takes_the_sequence_of_its_terminal(environment: dict, expected: str):
    window, texts = written(environment)
    window.notify("off", "done")
    window.notify(DESKTOP, "done")
    assert texts == [expected]


def test_the_title_says_what_runs_and_how_far_it_is():
    assert window_title(Outcome("done"), "cnn5") == "featherweight · cnn5"
    assert window_title(JobProgress("loading", 0.0), "cnn5") == "featherweight · loading"
    scanning = JobProgress("scanning", 0.0).after(Progress("measuring", 31, 50))
    assert window_title(scanning, "cnn5") == "featherweight · scanning 62 %"


async def test_only_the_end_of_a_long_job_is_told(backend: Scripted):
    app = FeatherweightApp(backend, Preferences(notify=BELL))
    texts: list[str] = []
    app.window = TerminalWindow(texts.append, {"TERM": "linux"})
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await idle(pilot)
        assert not texts
        app._notify_end(JobProgress("pruning", monotonic() - LONG_SECONDS))
        assert texts == ["\a"]
        app._notify_end(JobProgress("pruning", monotonic() - LONG_SECONDS, stopping=True))
        assert texts == ["\a"]
