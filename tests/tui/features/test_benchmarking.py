"""The key `b`: the net on the screen, benchmarked in every engine."""

from __future__ import annotations

import pytest

from core.errors import WorkError
from tests.tui.conftest import framed, idle, ready, until
from tests.tui.features.test_background_measurement import shown
from tests.tui.looks.conftest import compare_at
from tests.tui.pictures import running
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import AGGRESSIVE, MODERATE
from tui.app import FeatherweightApp
from tui.views.plot_registry import PLOTS

pytestmark = pytest.mark.slow

PRESET = ("m", "down", "enter")


async def still(pilot) -> None:
    await until(pilot, lambda app: not app.measuring and not app.main_screen.stale)


async def test_benchmarks_of_a_previous_plan_are_marked(app, backend):
    backend.rested.set()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET, "b")
        await idle(pilot)
        await still(pilot)
        assert backend.started == [f"bench {AGGRESSIVE}"]
        assert app.state.plot == "speed"
        lines = [" ".join(line.split()) for line in shown(app, "#plot-0").splitlines()]
        assert "pruned" in framed(app, "#plot-0")[0]
        assert lines[-2].endswith("4.5x 4.5x 1.3x slower 1.3x slower")
        assert lines[-1] == "MACs: 12.7M, 713,000 nonzero, 11.5M w/o dead units"
        assert app.activity.role == "good"
        assert "1 thread: 0.0676 ms at batch 1 (4.5x), 4.33 ms" in app.activity.text
        await pilot.press("left")
        await still(pilot)
        assert "pruned (previous plan)" in framed(app, "#plot-0")[0]
        await pilot.press("u")
        await still(pilot)
        assert "(previous plan)" not in framed(app, "#plot-0")[0]


async def test_a_fine_tuned_net_is_benchmarked_instead_of_the_plan(app, backend):
    backend.rested.set()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET, "b")
        await idle(pilot)
        await pilot.press("f")
        await idle(pilot)
        await pilot.press(
            *"v" * ((list(PLOTS).index("speed") - list(PLOTS).index(app.state.plot)) % len(PLOTS))
        )
        await still(pilot)
        assert "pruned (previous plan)" in framed(app, "#plot-0")[0]
        await pilot.press("b")
        await idle(pilot)
        await still(pilot)
        assert backend.started[-1] == "bench made"
        assert "fine-tuned" in framed(app, "#plot-0")[0]


async def test_a_stopped_benchmark_shows_the_rows_measured_so_far(backend):
    backend.pause_at = 1
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("b")
        await until(pilot, lambda app: app.state.speed and not app.main_screen.stale)
        assert "2 threads" not in shown(app, "#plot-0")
        assert "batch 64" in shown(app, "#plot-0")
        await pilot.press("f")
        assert backend.started == [f"bench {dict.fromkeys(MODERATE, 0.0)}"]
        await pilot.press("x")
        backend.go.set()
        await idle(pilot)
        assert app.activity.role == "warning"
        assert app.activity.text.endswith("stopped early")
        assert app.state.speed.benchmark.stopped


async def test_before_a_benchmark_the_plot_names_its_key(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*"v" * list(PLOTS).index("speed"))
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "press b to benchmark" in shown(app, "#plot-0")


async def test_an_error_keeps_the_rows_measured_before(monkeypatch):
    class Failing(Scripted):
        def benchmark(self, *_):
            yield from ()
            raise WorkError("no engine is there")

    app = FeatherweightApp(Failing())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET, "b")
        await idle(pilot)
        assert app.activity.role == "error"
        assert "no engine is there" in app.activity.text
        assert app.state.planned == AGGRESSIVE


async def test_the_plot_of_speed_looks_as_drawn(pictures, app, monkeypatch):
    monkeypatch.setattr("tui.session.monotonic", lambda: 0.0)
    monkeypatch.setattr("tui.views.activity.monotonic", lambda: 3.0)
    monkeypatch.setattr("tui.app.monotonic", lambda: 0.0)

    async with running(app, (60, 20)) as pilot:
        await ready(pilot)
        app.session.backend.rested.set()
        await pilot.press(*PRESET, "b")
        await idle(pilot)
        await still(pilot)
        await compare_at(pilot, [(60, 20), (80, 24)], pictures)
