"""A minute of random keys in a real terminal, on the real net."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.terminal.terminal import Terminal
from tests.tui.monkey import CHARACTERS, KEYS, SIZES, TEXTS, unforeseen

SECONDS = float(os.environ.get("MONKEY_SECONDS", "60"))
SEED = int(os.environ.get("MONKEY_SEED", "0"))
SENT = {
    **CHARACTERS, "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "delete": "\x1b[3~", "shift+left": "\x1b[1;2D", "shift+right": "\x1b[1;2C", "f1": "\x1bOP",
    "ctrl+p": "\x10", "ctrl+c": "\x03",
}  # fmt: skip

PROGRAM = """
import sys, tui.app
from pathlib import Path
from tui.cli.main import main

class Endless(tui.app.FeatherweightApp):
    CSS_PATH = [
        Path(tui.app.__file__).with_name(name) for name in tui.app.FeatherweightApp.CSS_PATH
    ]

    def exit(self, *given, **named):
        if Path("leave").exists():
            super().exit(*given, **named)

tui.app.FeatherweightApp = Endless
sys.exit(main())
"""
"""The program, which nobody leaves before there is a file that says so."""

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_minute_of_random_keys_leaves_it_running(tmp_path: Path, data_dir: Path):
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
            while time.monotonic() < end:
                if random.random() < 0.02:
                    terminal.resize(*random.choice(SIZES))
                keys = chosen(random)
                pressed += keys
                terminal.press(*(SENT.get(key, key) for key in keys))
                terminal.read(random.choice((0.01, 0.05, 0.3)))
            terminal.resize(120, 36)
            (tmp_path / "leave").touch()
            while terminal.process.poll() is None:
                terminal.press("escape")
                terminal.read(0.5)
                terminal.press("q")
                terminal.read(0.5)
                terminal.press("enter")
                terminal.read(0.5)
                assert time.monotonic() < end + 240, terminal.text
            assert terminal.wait() == 0
            assert unforeseen(log).strip() == ""
            assert terminal.restored
        except BaseException:
            print(f"MONKEY_SEED={SEED}: {' '.join(pressed)}\n{terminal.text}")
            raise


def chosen(random: Random) -> list[str]:
    """A few keys, a text, or keys after one that leaves what is open."""
    if random.random() < 0.1:
        return list(random.choice(TEXTS))
    keys = random.choices(KEYS, k=random.randint(1, 5))
    return keys if random.random() < 0.7 else ["escape", *keys]
