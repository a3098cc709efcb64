"""What files say is drawn as it is, wherever the app shows it."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from core.events import Notice
from core.jobs.net import Net
from core.nets.layers import Layer
from core.pruning.what_if import Profile
from tests.tui.conftest import idle, ready, shown, until
from tests.tui.hostile import HOSTILE, assert_harmless
from tests.tui.scripted import Many
from tests.tui.scripted_nets import DENSE
from tui.app import FeatherweightApp
from tui.screens.help.screen import HelpScreen
from tui.screens.question import Choice, Question
from tui.views.activity import Outcome
from tui.views.plot_registry import PLOTS

MARKUP = "[/red][bold]"

NAME = "[/a]\x1b[1m\n\x9b"
"""A name short enough to be shown whole."""


def hostile_net() -> Net:
    """A net of four layers with names from outside."""
    random, profiles = np.random.default_rng(0), []
    for place in range(4):
        shape = (4, 6)
        layer = Layer(f"{NAME}{place}", shape, prod(shape), prod(shape))
        weight = random.normal(0, 0.05, shape).astype(np.float32)
        profiles.append(Profile.of(layer, weight))
    return Net({}, DENSE, tuple(profiles), 0)


@pytest.fixture
def backend() -> Many:
    return Many(net=hostile_net())


async def drawn(pilot: Pilot[None]) -> str:
    """What the terminal gets of the screen."""
    await pilot.pause()
    strips = pilot.app.screen._compositor.render_strips()
    assert {strip.cell_length for strip in strips} == {pilot.app.size.width}
    text = "\n".join(strip.text for strip in strips)
    assert_harmless(text)
    return text


async def test_names_of_layers_are_drawn_in_the_table_and_every_plot(app: FeatherweightApp):
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        for _ in PLOTS:
            assert "[/a]?[1m??1" in await drawn(pilot)
            await pilot.press("v")


async def test_messages_dialogs_and_inputs_are_drawn(app: FeatherweightApp):
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ready(pilot)
        for role in ("good", "error"):
            app.session.show(app.state, Outcome(HOSTILE, HOSTILE, role))
            assert MARKUP in await drawn(pilot)
        app.session.activity = Outcome("")
        app.notify(f"said {HOSTILE}")
        assert f"said {MARKUP}" in await drawn(pilot)
        app.push_screen(HelpScreen(()))
        app.notify(f"toast {HOSTILE}")
        await until(pilot, lambda app: app.screen.query(Toast))
        assert f"toast {MARKUP}" in await drawn(pilot)
        app.clear_notifications()
        await pilot.press("escape", "M")
        assert f"said {MARKUP}" in await drawn(pilot)
        await pilot.press("escape")
        for dialog in (
            Question(HOSTILE, HOSTILE, HOSTILE),
            Choice(HOSTILE, [(HOSTILE, HOSTILE, HOSTILE)]),
        ):
            app.push_screen(dialog)
            assert MARKUP in await drawn(pilot)
            await pilot.press("escape")
        await pilot.press("w")
        app.screen.query_one("Input").value = HOSTILE
        assert MARKUP in await drawn(pilot)
        await pilot.press("enter")
        assert MARKUP in await drawn(pilot)


async def test_notices_of_a_job_are_drawn(app: FeatherweightApp, backend: Many):
    backend.events = [Notice(HOSTILE, warning=True), *backend.events]
    backend.pause_at = 2
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: getattr(app.activity, "notice", ""))
        await until(pilot, lambda app: MARKUP in shown(app, "#activity"))
        assert MARKUP in await drawn(pilot)
        backend.go.set()
        await idle(pilot)
