"""The app that plays itself, until a key takes it over."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual import events
from textual.screen import Screen
from textual.worker import Worker

import tui.app
from tui.app import FeatherweightApp
from tui.demo.caption import HINTS, PAUSED_HINTS, Caption
from tui.demo.facts import caption
from tui.demo.player import Player
from tui.demo.script import SCRIPT, Condition, Step
from tui.jobs.backend import Backend
from tui.preferences.declared import NO_PREFERENCES, Preferences
from tui.screens.paced import PacedScreen
from tui.state.state import State
from tui.views.activity import Outcome

TAKEN = "The program is yours now: {help} explains every key"
STOPPED = "Stopped: the program says why. {help} explains every key"
ENDED = "That was the demo, now it is yours. {help} explains every key"
FAREWELL = 8.0
"""Seconds for which the last caption stays."""


class DemoApp(FeatherweightApp):
    """The real app, played by a script.

    Args:
        folder: for the demo's runs and its exported file.
        preferences: what the person prefers who watches.
        pace: how many times faster than a room can follow.
        loops: starts over at the end.

    Attributes:
        player: plays the script; None once somebody has taken over.
    """

    CSS_PATH = [Path(tui.app.__file__).with_name(str(name)) for name in FeatherweightApp.CSS_PATH]

    def __init__(
        self,
        backend: Backend,
        folder: Path,
        preferences: Preferences = NO_PREFERENCES,
        *,
        pace: float = 1.0,
        loops: bool = False,
        script: Sequence[Step] = SCRIPT,
    ) -> None:
        super().__init__(backend, preferences)
        self.saved_plans.disable()  # the plan in the user's folders is not the demo's
        self.exporting.suggest(folder)
        self.player: Player | None = Player(self, script, pace)
        self._script, self._pace, self._loops = script, pace, loops
        self._folder = folder
        self._said = ""
        self._template = ""
        self._first: State | None = None
        self._pressed: list[events.Key] = []
        self._playing: Worker[None] | None = None

    def on_mount(self) -> None:
        """Start to play."""
        self.screen_change_signal.subscribe(self, self._caption_soon)
        self.call_after_refresh(self._show_caption)
        self._playing = self.run_worker(self._play(), name="demo")

    async def _play(self) -> None:
        while self.player is not None and await self.player.play():
            if not self._loops:
                self._end(ENDED)
                return
            self._start_over()
        if self.player is not None:
            self._end(STOPPED)

    def _start_over(self) -> None:
        """Go back to the dense net, and forget what the demo has written."""
        if self._first is not None:
            self.session.show(self._first, Outcome(""))
        with suppress(OSError):
            for each in self._folder.iterdir():
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        self.player = Player(self, self._script, self._pace)

    def _end(self, text: str) -> None:
        """Stop playing; the last caption stays for a moment."""
        self.player = None
        self._said = caption(text, self.state)
        self._show_caption()
        self.set_timer(FAREWELL, self._remove_caption)

    # What the player does

    def say(self, caption: str) -> None:
        """Show a caption."""
        if self._first is None and self.state.base is not None:
            self._first = self.state
        self._template = caption
        self._show_caption()

    async def act(self, name: str) -> bool:
        """Run an action of the main screen, or press a key in a dialog."""
        if "." not in name:
            self._press(name)
            return True
        feature, _, arguments = name.rstrip(")").partition("(")
        action = f"app.key('{feature}'{arguments and f', {arguments}'})"
        return await self.run_action(action, self.main_screen)

    def _press(self, key: str) -> None:
        event = events.Key(key, key if len(key) == 1 else None)
        self._pressed.append(event)
        self.post_message(event)

    def reached(self, condition: Condition) -> bool:
        """Whether a condition holds."""
        return not self._pressed and condition(self)

    @property
    def failed(self) -> bool:
        """Whether the program reports an error."""
        return isinstance(self.activity, Outcome) and self.activity.role == "error"

    # The person at the keyboard

    async def on_event(self, event: events.Event) -> None:
        """Space pauses the demo; any other key takes over, and does what it always does."""
        played = any(event is key for key in self._pressed)
        if self.player is not None and not played and _is_input(event):
            if isinstance(event, events.Key) and event.key == "space":
                self.player.paused = not self.player.paused
                self._show_caption()
                return
            self._take_over()
        await super().on_event(event)
        if played:
            self._pressed = [key for key in self._pressed if key is not event]

    def _take_over(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
        self._end(TAKEN)

    # The caption

    def _caption_soon(self, _: Screen[Any]) -> None:
        self.call_after_refresh(self._show_caption)

    def _show_caption(self) -> None:
        """Show the caption on the screen on top, whichever that is."""
        player, screen = self.player, self.screen
        if not screen.is_mounted or (player is None and not self._said):
            return
        if player is not None:
            self._said = caption(self._template, self.state)
        hints = ("",) if player is None else PAUSED_HINTS if player.paused else HINTS
        if not screen.query(Caption):
            screen.mount(Caption())
            _make_room(screen, 1)
        for strip in screen.query(Caption):
            strip.say(self._said, hints)

    def _remove_caption(self) -> None:
        self._said = ""
        for screen in self.screen_stack:
            screen.query(Caption).remove()
            _make_room(screen, 0)


def _make_room(screen: Screen[Any], rows: int) -> None:
    """Let a screen leave rows for the caption."""
    if isinstance(screen, PacedScreen):
        screen.strip_rows = rows
        screen.post_message(events.Resize(screen.size, screen.virtual_size))


def _is_input(event: events.Event) -> bool:
    """Whether somebody pressed a key or a button of the mouse."""
    kinds = (events.Key, events.MouseDown, events.MouseScrollDown, events.MouseScrollUp)
    return isinstance(event, kinds) and not event.is_forwarded
