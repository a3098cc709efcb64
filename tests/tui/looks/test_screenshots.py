"""The pictures in the READMEs show the program as it is now: its panels, columns and keys.

Each picture's keys are pressed again, over scripted jobs. What depends on numbers may differ.
"""

from __future__ import annotations

import asyncio
import html
import re
from pathlib import Path

import pytest

from core.experiments.experiment import Experiment
from screenshots.draw import FOLDER, SESSIONS, Session, play
from tests.tui.conftest import ready
from tests.tui.scripted import Scripted
from tests.tui.sweeps.scripted_sweep import Sweeping
from tui.app import FeatherweightApp

pytestmark = pytest.mark.slow

REPOSITORY = FOLDER.parent
THREE_EPOCHS = 1 + 3 * 41 + 12
"""Events of a scripted fine-tuning."""

PATIENCE = 60
"""Seconds for the keys of a picture; what they wait for may never come."""

LOOKS = 30
"""How often to look at a screen that should become the picture's."""

_TEXT = re.compile(
    r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>(.*?)<'
)
_TITLE = re.compile(r"─ ((?=\w)[^─·\d]*?) (?:─|·|\d)")


def lines_of(picture: str) -> list[str]:
    """The lines of text in a screenshot."""
    lines: dict[float, str] = {}
    for x, y, length, text in _TEXT.findall(picture):
        shown = html.unescape(text).replace("\xa0", " ")
        if len(shown) and float(length):
            column = round(float(x) / (float(length) / len(shown)))
            lines[float(y)] = lines.get(float(y), "").ljust(column) + shown
    return [lines[y] for y in sorted(lines)]


def structure(picture: str) -> dict[str, list[str]]:
    """The titles of the panels, the columns of the table and the keys in a screenshot."""
    lines = lines_of(picture)
    header = next((line for line in lines if {"layer", "shape"} <= {*line.split()}), "")
    return {
        "titles": [title.strip() for line in lines for title in _TITLE.findall(line)],
        "columns": re.findall(r"[a-z%|>]+", header.partition("│ │")[0]),
        "keys": re.findall(r"[^\s│]+", lines[-1]),
    }


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: "-".join(session.pictures))
async def test_each_picture_shows_the_program_as_it_is_now(
    session: Session, few: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    scripted = Sweeping if "sweep" in session.pictures else Scripted
    backend = scripted(pause_at=THREE_EPOCHS if "training" in session.pictures else None)
    backend.experiment = few if session.runs else Experiment(tmp_path / "cnn5-mnist")
    backend.rested.set()
    app = FeatherweightApp(backend)
    async with app.run_test(size=(session.columns, session.rows)) as pilot:
        await ready(pilot)
        for name, keys in session.pictures.items():
            await asyncio.wait_for(play(pilot, keys), PATIENCE)
            drawn = structure((FOLDER / f"{name}.svg").read_text(encoding="utf-8"))
            for _ in range(LOOKS):
                await pilot.pause(0.1)  # plots are drawn a little later
                if drawn == structure(app.export_screenshot()):
                    break
            assert drawn == structure(app.export_screenshot()), name
        backend.go.set()


def test_every_picture_is_drawn_and_every_drawn_one_is_shown():
    pages = [page.read_text(encoding="utf-8") for page in REPOSITORY.rglob("README.md")]
    shown = {name for page in pages for name in re.findall(r"screenshots/(\w+)\.svg\)", page)}
    drawn = {name for session in SESSIONS for name in session.pictures}
    assert shown == drawn | {"demo"}
    assert {path.stem for path in FOLDER.glob("*.svg")} == shown
