"""The plan is saved as it changes, and offered at the next start."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from core.errors import InputError
from core.settings.settings import Settings
from tests.tui.conftest import idle, ready, shown, until
from tests.tui.scripted import Many, Scripted
from tests.tui.scripted_nets import AGGRESSIVE, SHAPES, residual
from tui.app import FeatherweightApp
from tui.jobs import autosave
from tui.screens.question import Question
from tui.state.plan_file import SavedPlan, load, plan_file, save

pytestmark = pytest.mark.slow

PRESET = ("m", "down", "enter")


@asynccontextmanager
async def started(backend: Scripted | None = None):
    app = FeatherweightApp(backend or Scripted())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.pause()
        yield app, pilot


@pytest.fixture
def path():
    return plan_file(Settings())


async def leave(plan: tuple[str, ...] = PRESET) -> None:
    async with started() as (_, pilot):
        await pilot.press(*plan)


async def test_the_plan_of_the_last_session_is_offered_and_taken():
    await leave((*PRESET, "down", "l", "right"))
    async with started() as (app, pilot):
        assert isinstance(app.screen, Question)
        await pilot.press("enter")
        await pilot.pause()
        assert app.state.planned == {**AGGRESSIVE, "conv2": 0.96}
        assert app.state.locked == {"conv2"}
        assert "ready" in shown(app, "#activity")
        await pilot.press("u")
        assert set(app.state.planned.values()) == {0.0}


async def test_an_offer_can_be_left_open_by_quitting_and_is_made_again(path):
    await leave()
    async with started() as (app, pilot):
        assert isinstance(app.screen, Question)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running
    assert path.exists()
    async with started() as (app, _):
        assert isinstance(app.screen, Question)


@pytest.mark.parametrize("key", ["n", "escape", "q"])
async def test_a_declined_plan_is_deleted_but_redo_brings_it_back(path, key):
    await leave()
    async with started() as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert set(app.state.planned.values()) == {0.0}
        await pilot.press("U")
        assert app.state.planned == AGGRESSIVE
        await pilot.press("u")
    assert not path.exists()
    async with started() as (app, _):
        assert app.screen is app.main_screen


async def test_a_saved_plan_stays_until_its_question_is_answered(path):
    await leave()
    before = path.read_bytes()
    async with started() as (app, _):
        assert isinstance(app.screen, Question)
    assert path.read_bytes() == before


async def test_a_plan_without_changes_is_not_saved(path):
    await leave(("right", "right", "left", "left"))
    assert not path.exists()
    async with started() as (app, _):
        assert app.screen is app.main_screen


async def test_a_plan_is_saved_soon_after_a_change_however_many_keys_follow(path, monkeypatch):
    monkeypatch.setattr(autosave, "DELAY", 0.3)
    written = []
    monkeypatch.setattr(autosave, "save", lambda *given: (written.append(given), save(*given)))
    async with started() as (app, pilot):
        began = time.monotonic()
        await pilot.press(*["right"] * 10)
        await until(pilot, lambda _: path.exists())
        await until(pilot, lambda _: load(path, tuple(SHAPES)).sparsity == app.state.planned)
        assert len(written) <= 2 + (time.monotonic() - began) / 0.3


async def test_a_plan_saved_while_a_job_runs_names_its_base(path, monkeypatch):
    monkeypatch.setattr(autosave, "DELAY", 0.05)
    async with started() as (app, pilot):
        await pilot.press(*PRESET, "f")
        await idle(pilot)
        await pilot.press("a", "right")
        await until(pilot, lambda _: "0002" in (path.read_text() if path.exists() else ""))
        saved = load(path, tuple(SHAPES))
        assert saved == SavedPlan(app.state.planned, (), app.state.base.digest, "0002")
    async with started() as (app, pilot):
        text = " ".join(str(label.render()) for label in app.screen.query("Label"))
        assert "run 0002" in text
        await pilot.press("y")
        await pilot.pause()
        assert app.state.planned["conv1"] == pytest.approx(0.66)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"[" * 100_000,
        b'{"sparsity": 3}',
        b'{"sparsity": {"conv1": "x", "conv2": 0, "conv3": 0, "fc1": 0, "fc2": 0}}',
        b'{"sparsity": {"conv1": 2, "conv2": 0, "conv3": 0, "fc1": 0, "fc2": 0}}',
        b'{"sparsity": {"conv1": NaN, "conv2": 0, "conv3": 0, "fc1": 0, "fc2": 0}}',
        b'{"sparsity": {"conv1": 0.5}}',
    ],
)
async def test_a_damaged_saved_plan_is_ignored_and_replaced(path, damage):
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    async with started() as (app, pilot):
        assert app.screen is app.main_screen
        await pilot.press(*PRESET)
    assert load(path, tuple(SHAPES)).sparsity == AGGRESSIVE


@pytest.mark.parametrize("locked", [3, [[]], [{}, "conv1"], None])
def test_invalid_locks_are_dropped(path, locked):
    save(path, SavedPlan(AGGRESSIVE))
    facts = {**json.loads(path.read_text()), "locked": locked, "base": []}
    path.write_text(json.dumps(facts))
    names = ("conv1",) if isinstance(locked, list) and "conv1" in locked else ()
    assert load(path, tuple(SHAPES)) == SavedPlan(AGGRESSIVE, names)


async def test_the_plan_of_another_net_or_other_data_is_not_offered():
    await leave()
    for backend in (
        Many(net=residual()),
        Scripted(settings=Settings(dataset="fashion-mnist")),
        Scripted(settings=Settings(model="lenet-5")),
    ):
        async with started(backend) as (app, _):
            assert app.screen is app.main_screen


def test_a_user_nets_saved_plan_is_found_by_its_path(tmp_path, monkeypatch):
    places = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").touch()
        monkeypatch.chdir(tmp_path / name)
        settings = Settings(model="mine.py:Net", dataset="folder:images")
        places.add(plan_file(settings))
    assert len(places) == 2
    assert plan_file(Settings()) not in places
    absolute = replace(settings, model=f"{tmp_path}/other/mine.py:Net")
    assert plan_file(absolute) in places


async def test_an_unwritable_folder_is_reported_once(path, monkeypatch):
    monkeypatch.setattr(autosave, "DELAY", 0.01)

    def refuse(*_: object) -> None:
        raise InputError("cannot write [/b]")

    monkeypatch.setattr(autosave, "save", refuse)
    async with started() as (app, pilot):
        for _ in range(3):
            await pilot.press("right")
            await pilot.pause(0.1)
        problem = "could not save the plan: cannot write [/b]"
        await until(pilot, lambda app: problem in app.session.messages.texts)
        assert app.session.messages.texts.count(problem) == 1
