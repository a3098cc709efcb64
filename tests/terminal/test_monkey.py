"""Ten seconds of random keys in a real terminal, on the real net."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.terminal.terminal import PATIENCE, Terminal
from tests.tui.random_keys.monkey import CHARACTERS, KEYS, SIZES, TEXTS, TOURS, unforeseen
from tui.views.plot_registry import PLOTS

SECONDS = float(os.environ.get("MONKEY_SECONDS", "10"))
SEED = int(os.environ.get("MONKEY_SEED", "0"))
SENT = {
    **CHARACTERS, "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "delete": "\x1b[3~", "shift+left": "\x1b[1;2D", "shift+right": "\x1b[1;2C", "f1": "\x1bOP",
    "ctrl+p": "\x10", "ctrl+c": "\x03",
}  # fmt: skip

TOURED = ("HelpScreen", "HistoryScreen", "Choice", "RecipeDialog", "GoalDialog", *PLOTS)
"""Places that need no job."""

PROGRAM = """
import sys, tui.app
from pathlib import Path
from tests.tui.random_keys.places import places
from tui.cli.main import main

class Endless(tui.app.FeatherweightApp):
    CSS_PATH = [
        Path(tui.app.__file__).with_name(name) for name in tui.app.FeatherweightApp.CSS_PATH
    ]

    def on_mount(self):
        self.reached = set()
        self.set_interval(0.05, self.note_places)

    def note_places(self):
        if self.screen_stack and not self.reached.issuperset(places(self)):
            self.reached.update(places(self))
            Path("reached").write_text(" ".join(self.reached))

    def exit(self, *args, **options):
        if Path("leave").exists():
            super().exit(*args, **options)

tui.app.FeatherweightApp = Endless
sys.exit(main())
"""
"""The program; it notes where it has been, and is left only once there is a file `leave`."""

TOUR_SECONDS = 2.0
"""How long a tour waits for the program to get there; it may be made again."""

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
def test_random_keys_reach_every_place_and_the_program_goes_on(tmp_path: Path, data_dir: Path):
    random, pressed = Random(SEED), list[str]()
    log = tmp_path / "state" / "featherweight" / "log" / "errors.log"
    options = ("--epochs", "1", "--data-dir", str(data_dir), "--experiment", str(tmp_path / "runs"))
    places = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_DOWNLOAD_DIR": str(tmp_path),
        "PYTHONPATH": str(REPOSITORY),
    }
    program = ("-c", PROGRAM, *options)
    with Terminal(
        *program, command=sys.executable, columns=120, rows=36, cwd=str(tmp_path), **places
    ) as terminal:
        try:
            terminal.wait_for("ready: dense net")
            end = time.monotonic() + SECONDS
            while time.monotonic() < end or _missing(tmp_path):
                assert terminal.process.poll() is None
                assert time.monotonic() < end + PATIENCE, f"not reached: {_missing(tmp_path)}"
                if random.random() < 0.02:
                    terminal.resize(*random.choice(SIZES))
                if (missing := _missing(tmp_path)) and random.random() < 0.2:
                    pressed += _tour(terminal, tmp_path, random.choice(missing))
                    continue
                keys = _random_keys(random)
                pressed += keys
                terminal.press(*(SENT.get(key, key) for key in keys))
                terminal.read(random.choice((0.01, 0.05, 0.3)))
            terminal.resize(120, 36)
            (tmp_path / "leave").touch()
            end = time.monotonic() + PATIENCE
            while terminal.process.poll() is None:
                terminal.press("escape")
                terminal.read(0.5)
                terminal.press("q")
                terminal.read(0.5)
                terminal.press("y")
                terminal.read(0.5)
                assert time.monotonic() < end, terminal.text
            assert terminal.wait() == 0
            assert unforeseen(log).strip() == ""
            assert terminal.restored
        except BaseException:
            print(f"MONKEY_SEED={SEED}: {' '.join(pressed)}\n{terminal.text}")
            raise


def _random_keys(random: Random) -> list[str]:
    """A few keys, a text, or keys after one that leaves what is open."""
    if random.random() < 0.1:
        return list(random.choice(TEXTS))
    keys = random.choices(KEYS, k=random.randint(1, 5))
    return keys if random.random() < 0.7 else ["escape", *keys]


def _missing(folder: Path) -> list[str]:
    """The places that the program has not reached yet."""
    notes = folder / "reached"
    reached = notes.read_text().split() if notes.exists() else []
    return [place for place in TOURED if place not in reached]


def _tour(terminal: Terminal, folder: Path, place: str) -> list[str]:
    """Press the keys that lead to a place, and wait until the program is there, or a while."""
    keys = ["escape"] * 3 + ["n", *TOURS[place]]
    for key in keys:
        terminal.press(SENT.get(key, key))
        terminal.read(0.2)  # keys at once after an escape would be a sequence of their own
    end = time.monotonic() + TOUR_SECONDS
    while place in _missing(folder) and time.monotonic() < end:
        terminal.read(0.1)
    return keys
