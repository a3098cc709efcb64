"""Chosen keys: none has two actions, every action keeps one, and every text names it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_readmes import page
from tests.tui.conftest import ready, shown, until
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.cli.settings_table import preferences_table
from tui.keys.key import use_keys
from tui.keys.keymap import SCREENS, key_for, read_keymap, with_keys
from tui.preferences.config_file import config_path
from tui.preferences.declared import KEYS, Preferences
from tui.preferences.reading import read_preferences

IDS = sorted({key.id for keys in SCREENS.values() for key in keys})
TYPED = st.sampled_from(("f", "s", "S", "x", "F5", "ctrl+r", "space", "5", "Enter", "odd key", "?"))
TABLES = st.dictionaries(st.sampled_from(IDS), TYPED | st.lists(TYPED, max_size=2), max_size=8)


@pytest.fixture(autouse=True)
def own_keys():
    yield
    use_keys({})


def actions_by_key(screen: str) -> dict[str, set[str]]:
    actions: dict[str, set[str]] = {}
    for key in SCREENS[screen]:
        for name in key.keys.split(","):
            actions.setdefault(name, set()).add(key.full_id)
    return actions


SHARED = {
    name for names in map(actions_by_key, SCREENS) for name, ids in names.items() if len(ids) > 1
}


@settings(max_examples=60)
@given(TABLES, TABLES)
def test_whatever_is_chosen_each_key_has_one_action(main: dict, history: dict):
    keymap = read_keymap(main | {"history": history})
    use_keys(keymap.keys)
    for screen, keys in SCREENS.items():
        assert all(key.keys and key.shown for key in keys)
        for name, ids in actions_by_key(screen).items():
            assert len(ids) == 1 or name in SHARED
    followed = len(keymap.keys) + len(keymap.refused)
    assert followed == len(main) + len(history)


def test_two_actions_may_swap_their_keys():
    keymap = read_keymap({"scan": "f", "fine-tune": "s"})
    assert not keymap.refused
    use_keys(keymap.keys)
    assert (key_for("scan"), key_for("fine-tune")) == ("f", "s")
    assert with_keys("press {fine-tune} to fine-tune, {history.delete} to delete") == (
        "press s to fine-tune, Delete to delete"
    )


async def test_chosen_keys_act_and_the_old_ones_do_not():
    chosen = {"next-plot": ("P", "f5"), "open-history": ("H",), "history.back": ("B",)}
    app = FeatherweightApp(Scripted(), Preferences(keys=chosen))
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        await pilot.press("n")
        for key, plot in (("v", "histogram"), ("P", "accuracy"), ("f5", "sensitivity")):
            await pilot.press(key)
            assert app.state.plot == plot
        assert "H history" in shown(app, "#keys")
        await pilot.press("h")
        assert app.screen is app.main_screen
        await pilot.press("H")
        await until(pilot, lambda app: app.screen is not app.main_screen)
        await pilot.press("q", "escape")
        assert app.screen is not app.main_screen
        await pilot.press("B")
        assert app.screen is app.main_screen


def test_the_example_of_the_readme_is_right(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    section = page("tui/README.md").split("## Preferences and your own keys")[1]
    example = section.split("```toml\n")[1].split("```")[0]
    config_path().parent.mkdir(parents=True)
    config_path().write_text(example, encoding="utf-8")
    preferences = read_preferences({})
    assert not preferences.problems
    table = tomllib.loads(example)
    assert preferences.theme == table["theme"]
    assert set(preferences.settings) <= set(table)
    assert set(preferences.keys) == {"scan", "fine-tune", "quit", "history.delete"}
    assert KEYS in table


def test_the_readme_lists_every_preference_and_every_action():
    text = page("tui/README.md")
    assert preferences_table() in text
    listed = text.split("<!-- actions -->")[1].split("<!-- /actions -->")[0]
    for line, keys in zip(listed.strip().splitlines(), SCREENS.values(), strict=True):
        ids = ", ".join(f"`{key.id}`" for key in keys if not key.is_fixed)
        assert line.partition(": ")[2] == ids
