"""What a trial costs elsewhere, and what two at once gain.

LeNet-5 on MNIST, one thread, one epoch: 19 s of CPU. The ways take turns.
Workers are warm; starting one is timed apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from core.events import drain
from core.executors.in_process import InProcess
from core.executors.processes import Processes
from core.executors.ray_cluster.executor import RayCluster, Share
from core.executors.tasks import Executor, Message, Task
from core.experiments.experiment import Experiment
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.pruning.goals import Goal
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.driver import run_trials
from core.sweep.grid import Grid
from core.sweep.planning import PlannedTrial, plan_trials
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.sweep.local_cluster import Usage, local_cluster, marked, measurable

MODEL, EPOCHS, ROUNDS = "lenet-5", 1, 3
AT_ONCE = 2
MOST = 5.0
"""Percent that a trial may take longer elsewhere."""

HERE, WORKERS, RAY = "here", "workers", "ray"


@dataclass
class Spent:
    """Seconds of a few trials; of CPU, in all processes."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass
class Kept:
    """An executor that outlives a sweep: the next one finds its workers warm."""

    executor: Executor

    @property
    def places(self) -> int:
        return self.executor.places

    @property
    def room(self) -> int:
        return self.executor.room

    def submit(self, task: Task, base: Net) -> None:
        self.executor.submit(task, base)

    def stop(self, number: int) -> None:
        self.executor.stop(number)

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        return self.executor.poll(seconds)

    def close(self) -> None:
        """Nothing; see `executor`."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """Overhead of a trial in a worker, and two trials at once, by processes and by Ray."""
    names, ways = measurable(wanted), (WORKERS, RAY)
    print(f"  load of this machine before: {os.getloadavg()[0]:.1f}")
    measured = list[Figure]()
    if chosen := [way for way in ways if f"{way}_overhead" in names]:
        measured += _overheads(chosen)
    return measured + [_at_once(way) for way in ways if f"{way}_at_once" in names]


def _overheads(ways: Sequence[str]) -> list[Figure]:
    """One trial at a time, each way in turn."""
    workbench, planned = _planned(1, EPOCHS)
    spent = {way: Spent() for way in (HERE, *ways)}
    with ExitStack() as stack:
        executors: dict[str, Executor] = {HERE: Kept(InProcess(workbench))}
        executors |= {way: stack.enter_context(_executor(way, 1)) for way in ways}
        starts = {way: _start(executor) for way, executor in executors.items()}
        before = Usage.now()
        for _ in range(ROUNDS):
            for way, executor in executors.items():
                _run(planned, executor, spent[way])
        started = Usage.now().seconds.keys() - before.seconds.keys()
    here = spent[HERE]
    result = []
    for way in ways:
        value = 100 * (_ratio(spent[way].wall, here.wall) - 1)
        detail = {
            "trial": median(here.wall),
            "trial_cpu": median(here.cpu),
            "elsewhere": median(spent[way].wall),
            "elsewhere_cpu": median(spent[way].cpu),
            "cpu_overhead_percent": 100 * (_ratio(spent[way].cpu, here.cpu) - 1),
            "start_of_a_worker": starts[way],
            "processes_started_later": len(started),
        }
        what = (
            f"a trial of {median(here.wall):.0f} s by {_name(way)}, over the same in this process"
        )
        result.append(Figure(f"{way}_overhead", what, value, " %", MOST, False, detail))
    return result


def _at_once(way: str) -> Figure:
    """Two trials at once, over the same two one after the other, by the same two workers."""
    _, planned = _planned(AT_ONCE, EPOCHS)
    turns, together = Spent(), Spent()
    with _executor(way, AT_ONCE) as executor:
        _start(executor, AT_ONCE)
        for _ in range(ROUNDS):
            for trial in planned:
                _run([trial], executor, turns)
            _run(planned, executor, together)
    one_by_one = [sum(turns.wall[i : i + AT_ONCE]) for i in range(0, len(turns.wall), AT_ONCE)]
    detail = {"one_by_one": median(one_by_one), "at_once": median(together.wall)}
    what = f"two one-thread trials at once by {_name(way)}, over one after the other"
    value = _ratio(one_by_one, together.wall)
    return Figure(f"{way}_at_once", what, value, "x", 1.7, True, detail)


def _start(executor: Executor, workers: int = 1) -> float:
    """Seconds until new workers have run a trial without training, less those of warm ones.

    They import torch and read MNIST.
    """
    _, planned = _planned(workers, 0)
    seconds = Spent()
    for _ in range(2):
        _run(planned, executor, seconds)
    cold, warm = seconds.wall
    return cold - warm


def _run(planned: Sequence[PlannedTrial], executor: Executor, spent: Spent) -> None:
    """A sweep, recorded in an experiment of its own."""
    with TemporaryDirectory() as folder:
        usage, own, start = Usage.now(), process_time(), perf_counter()
        result = drain(run_trials(planned, Experiment(Path(folder)), executor))
        spent.wall.append(perf_counter() - start)
        spent.cpu.append(process_time() - own + Usage.now().since(usage))
        errors = [outcome.error for outcome in result.outcomes if outcome.error]
        if errors or len(result.outcomes) != len(planned):
            raise RuntimeError(f"trials failed: {errors}")


def _planned(count: int, epochs: int) -> tuple[Workbench, tuple[PlannedTrial, ...]]:
    """Trials of LeNet-5 at 20x, a seed each, and the workbench that planned them."""
    settings = Settings(model=MODEL, precision="fp32", device="cpu", threads=1)
    settings = replace(settings, changes=replace(settings.changes, epochs=epochs))
    workbench = Workbench(settings)
    grid = Grid(PlanAxes((Goal("ratio", 20.0),)), {"seed": tuple(range(count))})
    trials = grid.trials(lambda given: replace(settings, **given))
    drain(workbench.prepared_to_train())  # reads the images once, for all that is derived from it
    with TemporaryDirectory() as folder:
        stream = plan_trials(workbench, trials, {}, Experiment(Path(folder)), lambda: False)
        return workbench, drain(stream)


@contextmanager
def _executor(way: str, workers: int) -> Iterator[Executor]:
    """Workers that stay."""
    makers: Mapping[str, Callable[[ExitStack], Executor]] = {
        WORKERS: lambda _: Processes(workers, 1),
        RAY: lambda stack: RayCluster(stack.enter_context(local_cluster(workers)), Share()),
    }
    with marked(), ExitStack() as stack:
        executor = makers[way](stack)
        try:
            yield Kept(executor)
        finally:
            executor.close()


def _ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return median(one / other for one, other in zip(over, under, strict=True))


def _name(way: str) -> str:
    return {WORKERS: "a process of --workers", RAY: "Ray"}[way]
