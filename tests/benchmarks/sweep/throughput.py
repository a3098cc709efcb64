"""A thousand trials of a script: how many a second, and what the driver remembers of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from unittest.mock import patch

from core.events import Event, drain
from core.executors.events import TrialReported
from core.executors.in_process import InProcess
from core.executors.packed import Packed
from core.executors.ray_cluster.executor import RayCluster, Share
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.jobs.workbench import Workbench
from core.settings.settings import Settings
from core.sweep.driver import run_trials
from core.sweep.live.events import TrialEnded
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.memory import resident
from tests.benchmarks.sweep.local_cluster import local_cluster, measurable
from tests.benchmarks.sweep.scripted import planned, report_there, run_there

TRIALS = 1_000
LEAST = 20.0
"""Trials a second: the driver then keeps up with 1,200 workers whose trials take a minute."""

MOST = 16.0
"""KB of a trial that the driver remembers: its record, for the report."""

TALKERS = 20
"""Trials that report every batch at once."""

EVENTS = 1_000.0
"""Events a second: two hundred trials at once, each of which reports four and more."""


@dataclass
class Marks:
    """Seconds, of CPU and by the clock, and resident bytes, after every tenth of the trials.

    The first tenth loads modules and starts workers, and does not count.
    """

    step: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    ended: int = 0
    events: int = 0

    def __call__(self, event: Event) -> None:
        self.events += isinstance(event, TrialReported)
        if isinstance(event, TrialEnded):
            assert not event.outcome.error, event.outcome.error
            self.ended += 1
            if self.ended == self.step:
                self.events = 0
            if self.ended % self.step == 0:
                self.mark()

    def mark(self) -> None:
        self.seconds.append(perf_counter())
        self.cpu.append(process_time())
        self.resident.append(resident())

    def detail(self) -> dict[str, float]:
        """What trials and events have cost."""
        trials, seconds = self.ended - self.step, self.seconds[-1] - self.seconds[0]
        parts = [later - earlier for earlier, later in pairwise(self.cpu)]
        return {
            "trials_per_s": trials / seconds,
            "events_per_s": self.events / seconds,
            "driver_cpu_ms_per_trial": 1000 * sum(parts) / trials,
            "driver_cpu_ms_per_event": 1000 * sum(parts) / self.events,
            "cpu_of_the_last_tenth_over_the_second": parts[-1] / parts[0],
            "kb_per_trial": (self.resident[-1] - self.resident[0]) / trials / 1000,
        }


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """Trials here and through Ray, and events through Ray."""
    names = set(measurable(wanted))
    measured = list[Figure]()
    if names & {"sweep_trials", "sweep_memory"}:
        detail = _detail(_here(), TRIALS)
        what = f"{TRIALS:,} trials of a script in this process"
        measured += [_rate("sweep_trials", what, detail), _memory(what, detail)]
    if "ray_trials" in names:
        detail = _detail(_on_ray(run_there), TRIALS)
        measured += [_rate("ray_trials", f"{TRIALS:,} trials of a script through Ray", detail)]
    if "ray_events" in names:
        detail = _detail(_on_ray(report_there), TALKERS)
        rate = detail["events_per_s"]
        what = "events through Ray and the driver"
        measured += [Figure("ray_events", what, rate, " a second", EVENTS, True, detail)]
    return measured


def _rate(key: str, what: str, detail: Mapping[str, float]) -> Figure:
    rate = detail["trials_per_s"]
    return Figure(key, f"{what}, each recorded", rate, " a second", LEAST, True, detail)


def _memory(what: str, detail: Mapping[str, float]) -> Figure:
    what = f"{what}, memory of the driver for each"
    return Figure("sweep_memory", what, detail["kb_per_trial"], " KB", MOST, False, detail)


def _detail(way: AbstractContextManager[Executor], count: int) -> dict[str, float]:
    marks = Marks(step=max(1, count // 10))
    with TemporaryDirectory() as folder, way as executor:
        drain(run_trials(planned(count), Experiment(Path(folder) / "runs"), executor), marks)
    return marks.detail()


@contextmanager
def _here() -> Iterator[Executor]:
    yield InProcess(Workbench(Settings(precision="fp32", device="cpu", threads=1)))


@contextmanager
def _on_ray(trial: Callable[..., Iterator[Packed]]) -> Iterator[Executor]:
    with local_cluster(2) as ray, patch("core.executors.ray_cluster.executor.run_trial", trial):
        yield RayCluster(ray, Share())
