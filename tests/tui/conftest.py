"""The app over a scripted backend."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from core.experiments.experiment import Experiment
from tests.tui.history.histories import AGGRESSIVE, every_kind, finished
from tests.tui.pictures import Pictures
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import PATIENCE
from tests.tui.waiting import wait_for_idle
from tui.app import FeatherweightApp
from tui.system.error_log import log_file
from tui.text.frames import inner_start
from tui.views.activity import Outcome
from tui.widgets.panel import Panel


async def until(pilot: Pilot[None], reached: Callable[[FeatherweightApp], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not reached(pilot.app):
            await asyncio.sleep(0.01)
    await pilot.pause()


async def ready(pilot: Pilot[None]) -> None:
    """Wait until the dense net is open."""
    await until(pilot, lambda app: app.state.base is not None and app.job is None)


async def idle(pilot: Pilot[None]) -> None:
    """Wait until no job runs and the outcome is shown."""
    await until(pilot, lambda app: app.job is None and isinstance(app.activity, Outcome))


async def settled(pilot: Pilot[None]) -> None:
    """Wait until everything is measured, the accuracy on a sample, and drawn."""
    await until(pilot, _is_measured)
    await until(pilot, lambda app: not app.main_screen.stale)


def _is_measured(app: FeatherweightApp) -> bool:
    request = app.session.background._request()
    if request is None:
        return True
    return app.state.estimate is not None and not request.costs


def framed(app: FeatherweightApp, widget: str) -> list[str]:
    """The lines of a widget of the main screen, with its frame."""
    lines = app.main_screen.query_one(widget).lines
    return ["".join(span.text for span in line) for line in lines]


def shown(app: FeatherweightApp, widget: str) -> str:
    """The text of a widget of the main screen; of a panel, what is in its frame."""
    lines, shows = framed(app, widget), app.main_screen.query_one(widget)
    if isinstance(shows, Panel):
        (x, y), (width, height) = inner_start(shows.frame), shows.inner
        lines = [line[x : x + width] for line in lines[y : y + height]]
    return "\n".join(lines)


@pytest.fixture(autouse=True)
def error_log(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Gives each test a folder for plans and errors; an error it does not expect fails it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    path = log_file()
    yield path
    if not request.node.get_closest_marker("logs_errors"):
        assert not path.exists(), path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True, scope="session")
def parsed_once() -> Iterator[None]:
    """Parse each part of the stylesheets once for all apps of a theme; no app changes its rules."""
    parse, known = Stylesheet._parse_rules, dict[object, list[RuleSet]]()

    def parsed(sheet: Stylesheet, *args: object, **options: object) -> list[RuleSet]:
        part = (frozenset(sheet._variables.items()), args, *options.items())
        if part not in known:
            known[part] = parse(sheet, *args, **options)
        return known[part]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed)
        yield


@pytest.fixture(autouse=True, scope="session")
def short_waits() -> Iterator[None]:
    """Let the pilot wait for an idle app no longer than needed."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("app", "pilot"):
            patch.setattr(f"textual.{module}.wait_for_idle", wait_for_idle)
        yield


@pytest.fixture
def pictures(snapshot: SnapshotAssertion, request: pytest.FixtureRequest) -> Iterator[Pictures]:
    """The pictures of a test that draws several in a run; each equals its file, and no other is."""
    drawn = Pictures(snapshot.use_extension(SVGImageExtension))
    yield drawn
    assert drawn.others == []
    folder, test = request.path.parent / "__snapshots__" / request.path.stem, request.node.name
    names = {path.stem for path in folder.glob(f"{test}[[]*.svg")}
    assert names <= {f"{test}[{name}]" for name in drawn.names}, "not drawn any more: delete them"


@pytest.fixture
def backend() -> Scripted:
    return Scripted()


@pytest.fixture
def app(backend: Scripted) -> FeatherweightApp:
    return FeatherweightApp(backend)


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Twelve runs, which no test changes."""
    return every_kind(tmp_path_factory.mktemp("shared") / "cnn5-mnist")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redraw after a short delay."""
    monkeypatch.setattr("tui.screens.history.panes.REDRAW_SECONDS", 0.05)


@pytest.fixture
def mine(twelve: Experiment, tmp_path: Path) -> Experiment:
    """Twelve runs of a test's own."""
    return Experiment(Path(shutil.copytree(twelve.folder, tmp_path / "cnn5-mnist")))


@pytest.fixture
def few(tmp_path: Path) -> Experiment:
    """Two runs."""
    experiment = Experiment(tmp_path / "few")
    finished(experiment, AGGRESSIVE, 99.30, 99.31, "first")
    finished(experiment, AGGRESSIVE, 99.20, 99.25)
    return experiment
