"""Background measurement: when it starts, what it shows, and how jobs interrupt it."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import dataclass, field, replace

import pytest

from core.errors import StoppedError, WorkError
from core.events import StopFlag, Stream
from tests.tui.conftest import framed, idle, ready, shown, until
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import AGGRESSIVE, PATIENCE
from tui.app import FeatherweightApp
from tui.jobs.job import Job, JobEnded
from tui.state.measurement import ImageSelection, MeasurementRequest

pytestmark = pytest.mark.slow

PRESET = ("m", "down", "enter")


async def test_an_unchanged_plan_is_measured_on_a_sample_then_on_all_images(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: app.state.estimate)
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "pruned 96.5 ±2.1" in shown(app, "#scoreboard")
        backend.rested.set()
        await until(pilot, lambda app: app.state.estimate.sample.exact)
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "pruned 97.24" in shown(app, "#scoreboard")
        assert "±" not in shown(app, "#scoreboard")
        assert backend.measured_plans == [AGGRESSIVE]
        await until(pilot, lambda app: not app.measuring)


async def test_changing_the_plan_restarts_its_measurement(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: app.state.estimate)
        await pilot.press("right")
        assert app.state.estimate is None
        assert "pruned –" in shown(app, "#scoreboard")
        await until(pilot, lambda app: app.state.estimate)
        assert backend.measured_plans == [AGGRESSIVE, {**AGGRESSIVE, "conv1": 0.66}]


async def test_keys_that_keep_the_plan_keep_its_measurement(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: app.state.estimate)
        await pilot.press("down", "v", "l")
        backend.rested.set()
        await until(pilot, lambda app: app.state.estimate.sample.exact)
        assert len(backend.measured_plans) == 1


async def test_a_measurement_pauses_during_a_job_and_resumes_after_it(app, backend):
    backend.pause_at = 5
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: app.state.estimate)
        await pilot.press("f")
        await until(pilot, lambda app: backend.paused.is_set() and not app.measuring)
        await pilot.press("right")
        assert not app.measuring
        backend.go.set()
        await idle(pilot)
        await until(pilot, lambda app: len(backend.measured_plans) == 2)


@dataclass
class Slow(Scripted):
    """A backend whose measurements take a while to stop."""

    held: threading.Event = field(default_factory=threading.Event)

    def measure(self, request: MeasurementRequest, stop: StopFlag) -> Stream[None]:
        yield from super().measure(replace(request, accuracy=False), stop)
        self.measured_plans.append(dict(request.plan))
        self.held.wait(PATIENCE)
        self.started.append("given way")


async def test_a_job_starts_once_the_measurement_has_freed_its_memory():
    backend = Slow()
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: backend.measured_plans)
        await pilot.press("p")
        assert app.job is not None
        assert backend.started == []
        backend.held.set()
        await until(pilot, lambda app: app.state.pruned)
        assert backend.started == ["given way", "prune"]


async def test_known_accuracies_are_not_measured_again(app, backend, monkeypatch):
    monkeypatch.setattr("tui.jobs.background.PAUSE", 600.0)  # `p` comes first, however slowly
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert not app.measuring
        await pilot.press(*PRESET, "p")
        await idle(pilot)
        assert not app.measuring
        await pilot.press("right", "left")
        assert not app.measuring
        assert backend.measured_plans == []


@dataclass
class Failing(Scripted):
    """A backend whose measurements raise an error."""

    def measure(self, request: MeasurementRequest, stop: StopFlag) -> Stream[None]:
        self.measured_plans.append({})
        raise WorkError("the images are gone")
        yield


async def test_an_empty_plot_says_why():
    app = FeatherweightApp(Failing())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("V")
        await until(pilot, lambda app: app.state.measuring and not app.main_screen.stale)
        assert shown(app, "#plot-0").strip() == "the images are gone"


async def test_a_failed_measurement_is_not_repeated_for_the_same_plan():
    backend = Failing()
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: backend.measured_plans and not app.measuring)
        await pilot.press("down", "up")
        assert not app.measuring
        await pilot.press("right")
        await until(pilot, lambda app: len(backend.measured_plans) == 2 and not app.measuring)


async def test_images_are_predicted_while_their_plot_is_visible(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert backend.requested_images == []
        await pilot.press("d")
        await until(pilot, lambda app: app.state.comparison and not app.main_screen.stale)
        assert app.main_screen.visible_plots(app.state) == ("predictions",)
        assert "pruned 8 correct · dense 10 correct" in framed(app, "#plot-0")[0]
        assert backend.requested_images == [ImageSelection("chosen", 0)]
        assert backend.measured_plans == [], "nothing is pruned yet"
        await pilot.press("d")
        await until(pilot, lambda app: len(backend.requested_images) == 2 and not app.measuring)
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "2,000 newly wrong when pruned" in shown(app, "#plot-0")
        await pilot.press("D")
        await until(pilot, lambda app: len(backend.requested_images) == 3)
        assert backend.requested_images[1:] == [
            ImageSelection("wrong", 0),
            ImageSelection("wrong", 1),
        ]


async def test_predictions_are_updated_when_the_plan_changes(app, backend):
    backend.rested.set()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("d")
        await until(pilot, lambda app: not app.measuring)
        await pilot.press(*PRESET)
        await until(pilot, lambda app: not app.measuring)
        assert len(backend.requested_images) == 2
        assert backend.measured_plans == [AGGRESSIVE]
        await pilot.press("down")
        assert not app.measuring
        await pilot.press("v", "v", "v")
        assert not app.measuring


async def test_predictions_of_another_plan_are_marked_while_a_job_runs(app, backend):
    backend.rested.set()
    backend.pause_at = 5
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET, "d")
        await until(pilot, lambda app: app.state.comparison and not app.measuring)
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "(previous plan)" not in shown(app, "#plot-0")
        await pilot.press("f")
        await until(pilot, lambda app: backend.paused.is_set())
        await pilot.press("right", "d")
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "test images (previous plan)" in shown(app, "#plot-0")
        await pilot.press("v")
        assert app.main_screen.visible_plots(app.state) == ("confusion",)
        backend.go.set()
        await idle(pilot)
        await until(pilot, lambda app: not app.measuring and not app.main_screen.stale)
        assert "(previous plan)" not in shown(app, "#plot-0")


async def test_predictions_of_the_fine_tuned_net_are_labeled_fine_tuned(app, backend):
    backend.rested.set()
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*PRESET, "f")
        await idle(pilot)
        await pilot.press("d")
        await until(pilot, lambda app: not app.measuring and not app.main_screen.stale)
        assert "fine-tuned 8 correct" in framed(app, "#plot-0")[0]
        await pilot.press("v")
        await until(pilot, lambda app: not app.measuring and not app.main_screen.stale)
        assert "fine-tuned: 2,000 wrong of 10,000" in framed(app, "#plot-0")[0]
        assert "pruned" not in framed(app, "#plot-0")[0]


async def test_the_frame_has_the_color_of_the_focus_at_once(app):
    def roles(widget: str) -> set[str]:
        return {span.role for line in app.main_screen.query_one(widget).lines for span in line}

    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        table = app.main_screen.query_one("#table")
        for focused in (table, None, table):
            app.main_screen.set_focus(focused)
            await pilot.pause()
            assert ("frame-focused" in roles("#table")) is (focused is table)


async def test_a_larger_terminal_measures_what_its_plots_need(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("v")
        await until(pilot, lambda app: not app.measuring)
        assert backend.counted_plans == []
        await pilot.resize_terminal(200, 60)
        await until(pilot, lambda app: app.state.layer_activity)


async def test_costs_are_counted_while_their_plot_is_visible(app, backend):
    backend.rested.set()
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(pilot)
        assert backend.counted_plans == []
        await pilot.press("V", "V", "V")
        await until(pilot, lambda app: app.state.layer_activity and not app.main_screen.stale)
        assert "pruned, 5,000 validation images" in framed(app, "#plot-0")[0]
        await pilot.press(*PRESET)
        await until(pilot, lambda app: len(backend.counted_plans) == 2 and not app.measuring)
        await until(pilot, lambda app: not app.main_screen.stale)
        row = next(line for line in shown(app, "#plot-0").splitlines() if line.startswith("conv2"))
        assert row.split() == ["conv2", "25,600", "5.00", "2.50", "50.00", "2,000"]
        await pilot.press("down")
        assert not app.measuring
        assert backend.counted_plans == [dict.fromkeys(AGGRESSIVE, 0.0), AGGRESSIVE]


async def test_the_confusion_matrix_counts_every_test_image(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("V")
        assert app.main_screen.visible_plots(app.state) == ("confusion",)
        await until(pilot, lambda app: not app.measuring and not app.main_screen.stale)
        assert app.state.comparison.result.counts is not None
        assert "dense: 0 wrong of 10,000 test images" in framed(app, "#plot-0")[0]
        assert "pruned" not in framed(app, "#plot-0")[0]
        await pilot.press(*PRESET)
        backend.rested.set()
        await until(pilot, lambda app: len(backend.requested_images) == 2 and not app.measuring)
        await until(pilot, lambda app: not app.main_screen.stale)
        assert "pruned: 2,000 wrong of 10,000 test images" in framed(app, "#plot-0")[0]
        assert "8 → 1" in shown(app, "#plot-0")


class Heavy:
    """An object that stands for a lot of memory."""


def test_a_failed_job_frees_its_memory_though_its_error_stays():
    said, held = [], []

    def measure(heavy: Heavy) -> Stream[None]:
        held.append(weakref.ref(heavy))
        raise StoppedError("stopped")
        yield

    def stream(stop: StopFlag) -> Stream[None]:
        heavy = Heavy()
        try:
            yield from measure(heavy)
        except StoppedError as error:
            raise WorkError("no") from error

    gc.disable()
    try:
        job = Job(stream, said.append, print)
        job.start()
        job.wait()
        assert held[0]() is None
    finally:
        gc.enable()
    (ended,) = said
    assert isinstance(ended, JobEnded)
    assert isinstance(ended.error, WorkError)
    assert str(ended.error) == "no"


def test_an_error_that_is_its_own_cause_ends_the_job():
    said = []

    def stream(stop: StopFlag) -> Stream[None]:
        error = ValueError("a ring")
        raise error from error
        yield

    job = Job(stream, said.append, print)
    job.start()
    job.wait()
    (ended,) = said
    assert isinstance(ended.error, ValueError)
