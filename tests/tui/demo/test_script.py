"""The story by itself: its captions, its actions, and how long it takes."""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path

from rich.cells import cell_len

from tests.tui.scripted import Scripted
from tui.demo.app import ENDED, STOPPED, TAKEN, DemoApp
from tui.demo.caption import HINTS, PAUSED_HINTS, line
from tui.demo.facts import FACTS, caption
from tui.demo.player import Player
from tui.demo.script import SCRIPT, Step
from tui.keys.key import use_keys
from tui.keys.keymap import with_keys
from tui.keys.main_keys import KEYS
from tui.preferences.declared import Preferences

WIDE = "It is ~/模型/模型/模型.fw"
"""A caption with characters of two cells."""


def test_captions_fit_a_narrow_screen_and_name_known_facts_and_actions():
    known = {*FACTS, *(key.full_id for key in KEYS)}
    longest = dict.fromkeys(FACTS, "228,010")
    for step in (*SCRIPT, *map(Step, (TAKEN, STOPPED, ENDED))):
        assert set(re.findall(r"{([\w-]+)}", step.caption)) <= known, step
        shown = re.sub(r"{(\w+)}", lambda match: longest.get(match[1], match[0]), step.caption)
        assert len(with_keys(shown)) <= 58, step


def test_a_caption_has_the_keys_in_force_and_a_dash_for_what_is_unknown(tmp_path: Path):
    state = DemoApp(Scripted(), tmp_path, Preferences(keys={"prune": ("{",)})).state
    try:
        assert caption("{prune}: {kept} remain, {nothing}", state) == "{: – remain, {nothing}"
    finally:
        use_keys({})


def test_actions_are_those_of_keys(tmp_path: Path):
    app, names = DemoApp(Scripted(), tmp_path), {key.name for key in KEYS}
    actions = [name for step in SCRIPT for name in step.does if "." in name]
    assert {name.partition("(")[0] for name in actions} <= names
    assert all(callable(attrgetter(name.partition("(")[0])(app)) for name in actions)


def test_the_captions_leave_most_of_three_minutes_to_the_jobs():
    seconds = [
        step.before + step.after + step.between * max(0, len(step.does) - 1) for step in SCRIPT
    ]
    assert sum(seconds) <= 75


async def test_a_player_rests_as_long_as_the_pace_says_and_not_while_paused():
    rests: list[float] = []
    stage = Stage()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 3:
            player.paused = True
        if len(rests) == 50:
            player.paused = False

    script = (Step("one", ("a", "b"), before=1, between=2, after=1), Step("two", after=4))
    player = Player(stage, script, 4.0, sleep)
    assert await player.play()
    assert stage.log == ["one", "a", "b", "two"]
    paused = sum(rests[3:50])
    assert round(sum(rests) - paused, 6) == 2.0
    stage.possible = False
    assert not await Player(stage, script, 4.0, sleep).play()


class Stage:
    """Notes what is played on it."""

    failed = False
    possible = True

    def __init__(self) -> None:
        self.log: list[str] = []

    def say(self, caption: str) -> None:
        self.log.append(caption)

    async def act(self, name: str) -> bool:
        self.log.append(name)
        return self.possible

    def reached(self, condition: object) -> bool:
        return True


def test_a_caption_is_one_line_and_gives_up_its_hint_first():
    for text in (*(step.caption for step in SCRIPT), TAKEN, STOPPED, ENDED, WIDE):
        for width in (20, 60, 80, 120):
            for hints in (HINTS, PAUSED_HINTS):
                shown = line(text, hints, width)
                assert cell_len(shown) == width
                assert text in shown or cell_len(text) > width - 2
