"""The demo in the real app, over scripted jobs: it plays, pauses, fails and is taken over."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from textual import events

from core.errors import InputError
from tests.tui.conftest import until
from tests.tui.scripted import Scripted
from tui.demo.app import ENDED, STOPPED, TAKEN, DemoApp
from tui.demo.caption import Caption
from tui.demo.facts import caption
from tui.demo.script import SCRIPT, Step, asked, idle, opened
from tui.state.plan_file import plan_file
from tui.widgets.key_line import KeyLine

pytestmark = pytest.mark.slow

OPENED = Step("opened", until=opened, after=0)
AGES = 1e9


class Noting(DemoApp):
    """Notes each caption with its facts, and whether the net is pruned."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.captions: dict[str, str] = {}
        self.pruned: list[bool] = []
        super().__init__(Scripted(), folder, **{"pace": math.inf, **options})
        self.session.backend.rested.set()

    def say(self, caption: str) -> None:
        super().say(caption)
        self.captions[caption] = self._said
        self.pruned.append(self.state.pruned is not None)


def said(app: DemoApp) -> str:
    """The caption on the screen on top, if there is one."""
    return "".join(str(strip.content) for strip in app.screen.query(Caption))


async def test_the_whole_story_is_played(tmp_path):
    app = Noting(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: app.player is None)
        assert caption(ENDED, app.state) in said(app)
        jobs = [name.split()[0] for name in app.session.backend.started]
        assert jobs == ["prune", "finetune", "export"]
        assert [*app.captions] == [step.caption for step in SCRIPT if step.caption]
        assert not [text for text in app.captions.values() if "–" in text], "unknown facts"
        export = app.state.finetuned.exports[-1]
        assert Path(export.file).parent == tmp_path
        assert f"{app.state.footprint.ratio:.2f}" == "36.88"
        assert not plan_file(app.state.settings).exists(), "the user's plan is left alone"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_the_caption_has_a_row_of_its_own(tmp_path, size):
    app = Noting(tmp_path, script=(OPENED, Step("prune", ("training.prune",), idle)))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda app: app.player is None)
        strip, scores = app.screen.query_one(Caption).region, app.query_one("#scoreboard").region
        assert (strip.width, strip.height, strip.bottom) == (size[0], 1, size[1])
        assert scores.height
        assert not strip.overlaps(scores)
        assert app.query_one(KeyLine).region.bottom == strip.y


async def test_space_pauses_and_any_other_key_takes_over(tmp_path):
    app = Noting(tmp_path, pace=1.0, script=(OPENED, Step("now", after=AGES)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: "now" in said(app))
        await pilot.press("space")
        assert app.player.paused
        assert "Space continues" in said(app)
        await pilot.press("space")
        assert not app.player.paused
        await pilot.press("down")
        assert app.player is None
        assert caption(TAKEN, app.state) in said(app)
        assert app.state.chosen == 1
        await pilot.press("space", "down")
        assert app.state.chosen == 2


async def test_the_mouse_takes_over_too_and_what_is_open_stays_open(tmp_path):
    presets = Step("presets", ("planning.presets",), asked, after=AGES)
    app = Noting(tmp_path, script=(OPENED, presets), pace=1.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: asked(app) and app.screen.query(Caption))
        assert app.screen.query_one(Caption).region == (0, 23, 80, 1)
        button = {"button": 1, "shift": False, "meta": False, "ctrl": False}
        app.post_message(events.MouseDown(None, x=0, y=0, delta_x=0, delta_y=0, **button))
        await until(pilot, lambda app: app.player is None)
        assert asked(app)
        assert caption(TAKEN, app.state) in said(app)


async def test_an_error_ends_the_demo_and_stays_on_the_screen(tmp_path):
    app = Noting(tmp_path)
    app.session.backend.error = InputError("the disk is full")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: app.player is None)
        assert caption(STOPPED, app.state) in said(app)
        assert "the disk is full" in app.activity.text


async def test_a_loop_starts_over_from_the_dense_net_without_the_files(tmp_path):
    app = Noting(tmp_path, loops=True, script=(OPENED, Step("prune", ("training.prune",), idle)))
    (tmp_path / "runs").mkdir()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda app: len(app.pruned) >= 5)
        await pilot.press("j")
        assert app.player is None
        assert not any(app.pruned)
        assert not [*tmp_path.iterdir()]
