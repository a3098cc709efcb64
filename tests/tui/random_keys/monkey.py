"""A monkey at the keyboard: random keys, texts, clicks and sizes, all from one seed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from core.errors import InputError, StoppedError, WorkError
from core.events import Event, Stream
from tests.tui.history.histories import CSS
from tests.tui.random_keys.places import places
from tests.tui.scripted import Many
from tests.tui.scripted_nets import course
from tui.app import FeatherweightApp
from tui.jobs.backend import Backend
from tui.views.plot_registry import PLOTS

SIZES = ((80, 24), (120, 36), (200, 60), (60, 20), (24, 8))

CHARACTERS = {"enter": "\r", "escape": "\x1b", "backspace": "\x7f", "tab": "\t", "space": " "}

KEYS = (
    *"kjlmMugspcfxaretvVbdDFwohU?z1250=*/[]+-<nSyi",
    *("up", "down", "left", "right", "enter", "escape", "backspace", "space", "tab", "home", "end"),
    *("pageup", "pagedown", "delete", "shift+left", "shift+right", "f1", "ctrl+p", "ctrl+c"),
)

TEXTS = ("[/b].toml", "[red]", "60x", "0.5 points", "1 MiB", "no goal", "~x/y", "conv 3x3", "層\t")

TOURS: dict[str, tuple[str, ...]] = {
    "Question": ("h", "delete"),
    "Choice": ("m",),
    "RecipeDialog": ("c", "down", "right"),
    "ExportDialog": ("e", "down", "right"),
    "GoalDialog": ("g", "down", "1"),
    "RecipeFileDialog": ("w", "x"),
    "PlotFileDialog": ("F", "e"),
    "HelpScreen": ("?", "down"),
    "HistoryScreen": ("h", "down", "space", "up"),
    "history help": ("h", "?"),
    "PlotScreen": ("F", "right"),
    "Palette": ("ctrl+p", "g"),
    "ValueInput": ("7",),
    "FindInput": ("/", "c"),
    "NoteInput": ("h", "n", "x"),
    **dict.fromkeys(PLOTS, ("v",)),
    "prune": ("p",),
    "finetune": ("f",),
    "scan": ("s",),
    "bench": ("b",),
    "train": ("t", "enter"),
    "export": ("right", "e", "[", "enter", "y"),
    "restore": ("h", "down", "enter"),
    "lightest": ("g", *["backspace"] * 20, *"2 points", "enter", "enter"),
    "failed": ("p",),
}
"""Places to reach, and the keys that lead there from the main screen."""


JOBS = {name for name in vars(Backend) if not name.startswith("_")} - {
    "open",
    "stored_scan",
    "train_first",
}
"""The methods of the backend that fail at random: all that run as jobs once a net is open."""


class ScriptError(Exception):
    """An error that no part of the program expects."""


@dataclass
class Unsteady(Many):
    """Jobs that go on, fail and end at random.

    Attributes:
        failed: the jobs that have failed, by the backend's name of each.
    """

    events: list[Event] = field(default_factory=lambda: course(2, 6))
    random: Random = field(default_factory=lambda: Random(0))
    failed: set[str] = field(default_factory=set)

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in JOBS:
            return value
        return lambda *args, **options: self._unsteadily(name, value(*args, **options))

    def _unsteadily(self, name: str, stream: Stream[Any]) -> Stream[Any]:
        risk = self.random.choice((0, 0, 0.1))
        while True:
            time.sleep(self.random.choice((0, 0.001, 0.01)))
            if self.random.random() < risk:
                self.failed.add(name)
                kind = self.random.choice((InputError, WorkError, StoppedError, ScriptError))
                raise kind(SCRIPTED)
            try:
                event = next(stream)
            except StopIteration as end:
                return end.value
            yield event


class Endless(FeatherweightApp):
    """An app that does not exit."""

    CSS_PATH = CSS
    left = 0

    def exit(self, *_: object, **__: object) -> None:
        """Stay."""
        self.left += 1


@dataclass
class Monkey:
    """Presses keys, and records them and the places reached."""

    app: FeatherweightApp
    pilot: Pilot[None]
    random: Random
    sizes: tuple[tuple[int, int], ...]
    pressed: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)

    @property
    def missing(self) -> list[str]:
        """The places not reached yet."""
        return [name for name in TOURS if name not in self.reached]

    async def play(self, least: int, most: int) -> None:
        """Press at least `least` keys, then up to `most` until every place is reached."""
        while len(self.pressed) < least or (self.missing and len(self.pressed) < most):
            for key in self._choose():
                await self._do(key)
                if self.random.random() < 0.3:
                    await self._settle()
            await self._settle()

    async def come_back(self) -> None:
        """Return to the main screen; fails if the keys do not lead there."""
        for _ in range(12):
            if self.app.screen is self.app.main_screen:  # where Escape asks whether to stop a job
                return
            await self._do("escape")
            await self.pilot.pause()
        assert self.app.screen is self.app.main_screen, self.app.screen

    def _choose(self) -> tuple[str, ...]:
        lot = self.random.random()
        if self.missing and lot < 0.4:
            return (*["escape"] * 3, "n", *TOURS[self.random.choice(self.missing)])
        if lot < 0.5:
            return tuple(self.random.choice(TEXTS))
        if lot < 0.53:
            return (f"resize {self.random.choice(self.sizes)}",)
        if lot < 0.56:
            return ("click",)
        return tuple(self.random.choices(KEYS, k=self.random.randint(1, 6)))

    async def _do(self, key: str) -> None:
        self.pressed.append(key)
        if key.startswith("resize"):
            width, height = (int(part) for part in key[8:-1].split(","))
            await self.pilot.resize_terminal(width, height)
        elif key == "click":
            width, height = self.app.screen.size  # without scrollbars, which the pilot refuses
            place = self.random.randrange(width), self.random.randrange(height)
            self.pressed[-1] = f"click {place}"
            await self.pilot.click(offset=place)
        elif len(key) == 1:
            self.app.post_message(events.Key(_character_to_key(key), key))
        else:
            self.app.post_message(events.Key(key, CHARACTERS.get(key)))

    async def _settle(self) -> None:
        """Let the app handle the keys, and record where it is."""
        for _ in range(self.random.choice((1, 3, 10))):
            await asyncio.sleep(0.001)
        self.reached |= set(self._seen())

    def _seen(self) -> Iterator[str]:
        yield from places(self.app)
        backend = self.app.session.backend
        assert isinstance(backend, Unsteady)
        yield from (started.split()[0] for started in backend.started)
        if backend.failed:
            yield "failed"


SCRIPTED = "the script [/b] says no"

TEXTUALS = ("in action_page_down", "in action_page_up", "in _move_page")
"""Functions of Textual's option list that fail before it is laid out; only the key is lost."""


def unforeseen(log: Path) -> str:
    """The errors in a log except those of the script and of Textual itself."""
    if not log.exists():
        return ""
    logged = log.read_text(encoding="utf-8").split("\n\n")
    known = (SCRIPTED, *TEXTUALS)
    return "\n".join(text for text in logged if not any(line in text for line in known))
