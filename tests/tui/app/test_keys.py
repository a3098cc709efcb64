"""The keys and the features that own their actions."""

from __future__ import annotations

import inspect

import pytest

from tests.tui.conftest import ready, until
from tui.features.feature import is_available, waits
from tui.keys.main_keys import KEYS


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.shown)
def test_every_key_names_a_documented_action_of_a_feature(app, key):
    action = app.feature_action(key.name)
    assert action.__self__.session is app.session
    assert inspect.getdoc(action)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.shown)
def test_the_arguments_of_a_key_fit_its_action(app, key):
    given = key.action.format(key="5").partition("(")[2].rstrip(")")
    inspect.signature(app.feature_action(key.name)).bind(*filter(None, given.split(",")))


def test_before_a_net_is_open_only_what_needs_none_is_available(app):
    names = {key.name for key in KEYS if is_available(app.feature_action(key.name), app.session)}
    assert names == {
        "plots.step",
        "training.revert",
        "program.help",
        "program.leave",
        "program.messages",
    }


async def test_actions_that_wait_are_unavailable_during_a_job(app, backend):
    backend.pause_at = 60
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await until(pilot, lambda _: backend.paused.is_set())
        names = {key.name for key in KEYS}
        waiting = {name for name in names if waits(app.feature_action(name))}
        assert {"training.finetune", "exporting.ask", "benchmarking.start"} <= waiting
        assert not any(app.check_action("key", (name,)) for name in waiting)
        assert app.check_action("key", ("training.stop",))
        assert app.check_action("key", ("planning.nudge", 1))
        backend.go.set()
