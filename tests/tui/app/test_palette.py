"""The palette: every action of the screen with its key, in the order of the help."""

from __future__ import annotations

from textual.command import CommandList

from tests.tui.conftest import ready, until
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.keys import history_keys, main_keys
from tui.preferences.declared import Preferences


def rows(app: FeatherweightApp) -> list[str]:
    """The entries, without the headings of their groups."""
    options = app.screen.query_one(CommandList).options
    return [str(option.prompt).rpartition("\n")[2] for option in options]


async def opened(pilot, keys: int) -> list[str]:
    await pilot.press("ctrl+p")
    await until(pilot, lambda app: app.screen.query(CommandList))
    await until(pilot, lambda app: len(rows(app)) > keys)
    return rows(pilot.app)


async def test_every_action_has_its_key_and_those_unavailable_say_why():
    app = FeatherweightApp(Scripted(), Preferences(keys={"scan": ("S",)}))
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        await pilot.press("n")
        named = [key for key in main_keys.KEYS if not key.is_fixed]
        entries = await opened(pilot, len(named))
        for key, entry in zip(named, entries, strict=False):
            assert entry.startswith(key.label)
            assert entry[20:].startswith(key.shown)
        by_label = dict(zip((key.label for key in named), entries, strict=False))
        assert by_label["scan"][20] == "S"
        assert by_label["stop"].endswith("no job is running")
        assert by_label["prune"].endswith("measure it")
        others = [entry.split()[0] for entry in entries[len(named) :]]
        assert others == ["theme", "tour", "screenshot"]
        await pilot.press(*"adopt")
        await until(pilot, lambda app: len(rows(app)) < 10)
        await pilot.press("enter")
        await until(pilot, lambda app: app.screen is app.main_screen)
        assert app.state.finetuned is None


async def test_the_palette_of_the_history_has_the_keys_of_the_history():
    app = FeatherweightApp(Scripted())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("n", "h")
        entries = await opened(pilot, len(history_keys.KEYS))
        assert [entry[:20].strip() for entry in entries[: len(history_keys.KEYS)]] == [
            key.label for key in history_keys.KEYS
        ]
        await pilot.press(*"back")
        await until(pilot, lambda app: rows(app)[0].startswith("back"))
        await pilot.press("enter")
        await until(pilot, lambda app: app.screen is app.main_screen)
