"""What each screen looks like; `test_modes` has every kind of theme.

After a change that is meant: `python -m pytest tests/tui/looks/test_snapshots.py
--snapshot-update`, and look at the pictures before committing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.command import CommandList
from textual.pilot import Pilot

from core.errors import WorkError
from core.events import StopFlag, Stream
from core.jobs.net import Net
from core.pruning.curves import SPARSITIES, Point, PointScanned, Scan
from core.settings.settings import Settings
from tests.tui.conftest import idle, ready, settled, until
from tests.tui.looks.conftest import compare_at
from tests.tui.pictures import running
from tests.tui.scripted import Many, Scripted
from tests.tui.scripted_nets import PATIENCE, residual, scanned
from tui.app import FeatherweightApp
from tui.views.plot_registry import PLOTS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("same_every_time")]

SIZES = [(60, 20), (80, 24), (120, 36), (200, 60)]
"""A screen that shows one plot goes to that of a job; one that shows all stays where it was. So a
picture after a job is drawn in a run that starts at a size with as many plots."""

PLAN = ("m", "down", "enter", "down")


async def planned(pilot: Pilot[None]) -> None:
    await ready(pilot)
    await pilot.press(*PLAN)
    await settled(pilot)


async def finetuned(pilot: Pilot[None]) -> None:
    await planned(pilot)
    await pilot.press("f")
    await idle(pilot)
    await settled(pilot)


async def test_the_plan_looks_as_drawn(app, pictures):
    async with running(app, SIZES[-1]) as pilot:
        await planned(pilot)
        await compare_at(pilot, SIZES[::-1], pictures)


@pytest.mark.parametrize("size", [(60, 20), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_plot_on_the_whole_screen_looks_as_drawn(snap_compare, app, size):
    async def whole(pilot: Pilot[None]) -> None:
        await finetuned(pilot)
        await pilot.press("F", "right", "down")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=whole)


async def test_the_export_dialog_looks_as_drawn(pictures, tmp_path, monkeypatch):
    for sizes in (SIZES[:2], SIZES[2:3]):
        folder = tmp_path / str(sizes[0])
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOME", str(folder))  # the dialog names the folder
        monkeypatch.setenv("XDG_STATE_HOME", str(folder))  # without the plan of the other run
        async with running(FeatherweightApp(Scripted()), sizes[0]) as pilot:
            await finetuned(pilot)
            await pilot.press("e", "down")
            await compare_at(pilot, sizes, pictures, "asked-{}")
            await pilot.press("escape", "e", "enter")
            await idle(pilot)
            await compare_at(pilot, sizes, pictures, "written-{}")


def test_files_of_another_plan_look_as_drawn(snap_compare, app):
    async def changed(pilot: Pilot[None]) -> None:
        await finetuned(pilot)
        await pilot.press(
            "right", *["v"] * (list(PLOTS).index("files") - list(PLOTS).index("accuracy"))
        )
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=changed)


async def test_plots_of_an_adopted_base_look_as_drawn(app, pictures):
    async with running(app) as pilot:
        await finetuned(pilot)
        await pilot.press("a", "right")
        for plot in range(4):
            await settled(pilot)
            await pictures.compare(pilot, str(plot))
            await pilot.press("v")


def test_a_training_looks_as_drawn(snap_compare):
    backend = Scripted(pause_at=130)
    app = FeatherweightApp(backend)

    async def halfway(pilot: Pilot[None]) -> None:
        await planned(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: len(app.state.curve.epochs) == 3)
        await settled(pilot)
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=(80, 24), run_before=halfway)


async def test_every_dialog_looks_as_drawn(app, pictures):
    async with running(app) as pilot:
        await planned(pilot)
        for keys in (
            ("9", "7"),
            ("1", "0", "1"),
            ("m",),
            ("c", "down"),
            ("question_mark",),
            ("t",),
        ):
            await pilot.press(*keys)
            await settled(pilot)
            await pictures.compare(pilot, "-".join(keys))
            await pilot.press("escape")


async def test_the_tour_looks_as_drawn(app, pictures):
    app.shows_tour = True
    async with running(app, SIZES[0]) as pilot:
        await ready(pilot)
        for card in (2, 4):
            await pilot.press("enter", "enter")
            await settled(pilot)
            await pictures.compare(pilot, str(card))


def test_the_palette_looks_as_drawn(snap_compare, app):
    async def opened(pilot: Pilot[None]) -> None:
        await planned(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda app: app.screen.query(CommandList))
        await until(pilot, lambda app: app.screen.query_one(CommandList).option_count > 20)
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=opened)


def test_loading_looks_as_drawn(snap_compare):
    backend = Scripted()
    backend.opening = backend.go
    app = FeatherweightApp(backend)

    async def loading(pilot: Pilot[None]) -> None:
        await until(pilot, lambda app: getattr(app.activity, "step", None))
        await settled(pilot)
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=(80, 24), run_before=loading)


def test_a_failed_job_looks_as_drawn(snap_compare, app, backend):
    async def failed(pilot: Pilot[None]) -> None:
        await planned(pilot)
        backend.error = WorkError("a long story of what went wrong " * 6)
        await pilot.press("p")
        await idle(pilot)
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=failed)


async def test_many_layers_look_as_drawn(pictures):
    async with running(FeatherweightApp(Many(net=residual())), SIZES[2]) as pilot:
        await ready(pilot)
        await pilot.press("slash", *"layer3 3x3")
        await compare_at(pilot, SIZES[2::-1], pictures, "{}-find")
        await pilot.press("escape", "home")
        await pilot.press("down", "space", "down", "space", "8", "5", "enter", "l", "up")
        await compare_at(pilot, SIZES[2::-1], pictures, "{}-groups")


async def mapped(pilot: Pilot[None]) -> None:
    """A plan, and the sensitivity of 53 layers."""
    await ready(pilot)
    await pilot.press("6", "0", "enter", "down", "8", "5", "enter", "s")
    await idle(pilot)
    await pilot.press("down", "plus", "plus")
    await settled(pilot)


async def test_the_sensitivity_of_many_layers_looks_as_drawn(pictures):
    for sizes in (SIZES[:3], SIZES[3:]):
        async with running(FeatherweightApp(Many(net=residual())), sizes[0]) as pilot:
            await mapped(pilot)
            await compare_at(pilot, sizes, pictures)


def test_the_sensitivity_of_many_layers_looks_as_drawn_in_a_terminals_own_colors(snap_compare):
    app = FeatherweightApp(Many(net=residual()))
    app.theme = "ansi-dark"
    assert snap_compare(app, terminal_size=(80, 24), run_before=mapped)


class Filling(Many):
    """A scan that stops after the first images of ten layers."""

    def scan(self, base: Net, settings: Settings, stop: StopFlag) -> Stream[Scan]:
        names = [profile.layer.name for profile in base.profiles]
        first = scanned(1_000, names)
        layers = {name: tuple(map(Point, SPARSITIES)) for name in names}
        layers |= {name: first.layers[name] for name in names[:10]}
        yield PointScanned(replace(first, layers=layers, uniform=()))
        self.paused.set()
        self.go.wait(PATIENCE)
        return replace(first, stopped=True)


def test_the_sensitivity_of_many_layers_fills_as_drawn(snap_compare):
    backend = Filling(net=residual())

    async def filling(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await pilot.press("s")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: app.state.scan)
        await settled(pilot)
        await pilot.pause(0.3)

    assert snap_compare(FeatherweightApp(backend), terminal_size=(80, 24), run_before=filling)
    backend.go.set()
