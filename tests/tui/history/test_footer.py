"""The keys at the bottom of the history: the most important ones stay, under the keys in force."""

from __future__ import annotations

import pytest

from tests.tui.history.test_rows import tuned
from tui.keys.key import use_keys
from tui.keys.main_keys import fitting, footer_width
from tui.state.run_list import RunList
from tui.views.history_footer import footer_keys

LEAST = ("continue", "back")
"""The actions that every width has room for."""


@pytest.fixture(autouse=True)
def own_keys():
    yield
    use_keys({})


@pytest.mark.parametrize("width", range(40, 124, 4))
def test_narrow_screens_lose_the_least_important_keys(width: int):
    run_list = RunList().read([tuned(1, 10, 99.0), tuned(2, 20, 99.0)])
    applicable = sorted(footer_keys(run_list, False), key=lambda key: -key.footer)
    shown = fitting(tuple(applicable), width)
    assert footer_width(shown) - 1 <= width
    assert {key.id for key in shown} == {key.id for key in applicable[: len(shown)]}
    assert {*LEAST} <= {key.id for key in shown}


def test_it_has_the_keys_that_a_person_chose():
    use_keys({"history.delete": ("D",), "history.continue": ("c",)})
    run_list = RunList().read([tuned(1, 10, 99.0)])
    shown = {key.id: key.shown for key in fitting(tuple(footer_keys(run_list, False)), 80)}
    assert shown["delete"] == "D"
    assert shown["continue"] == "c"
