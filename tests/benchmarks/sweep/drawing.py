"""Events a second through the driver and its log, and how late the table is drawn meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import cycle, pairwise
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time, sleep

from rich.console import Console

from core.events import Batch, Event, drain
from core.experiments.experiment import Experiment
from core.jobs.net import Net
from core.sweep.driver import run_trials
from core.sweep.live.events import TrialReported
from core.sweep.live.folder import LOG, SweepFolder
from core.sweep.live.log import logged
from core.sweep.live.watching import watch
from core.sweep.tasks import Begun, Message, Task
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.watched import summary
from tests.benchmarks.sweep.scripted import SCRIPT, planned
from tui.cli.sweeps.watcher import DRAWN, Watcher

AT_ONCE, SECONDS = 100, 20.0
MOST = 50.0


class Flood:
    """An executor whose trials report a batch whenever they are asked, and never end."""

    def __init__(self) -> None:
        self._new: list[tuple[int, Message]] = []
        self._numbers: list[int] = []
        self._next: Iterator[int] = iter(())

    @property
    def room(self) -> int:
        return AT_ONCE - len(self._numbers)

    def submit(self, task: Task, base: Net) -> None:
        begun = next(SCRIPT.run(task))
        assert isinstance(begun, Begun)
        self._new.append((task.number, begun))
        self._numbers.append(task.number)
        self._next = cycle(self._numbers)

    def stop(self, number: int) -> None:
        """No trial is to stop."""

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        if self._new:
            new, self._new = self._new, []
            return new
        return [(next(self._next), Batch(1, 2, 100, 1_000, 0.5, 90.0, 1.0))]

    def close(self) -> None:
        self._numbers.clear()


class Screen(StringIO):
    """A terminal that remembers when it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[float] = []

    def write(self, text: str) -> int:
        self.drawn.append(monotonic())
        return len(text)


def drive(folder: Path, told: Connection) -> None:
    """Run 100 trials at once whose events come as fast as the driver takes them.

    Tells how many events that were, and the seconds of CPU they took.
    """
    end, counted = monotonic() + SECONDS, 0
    sweep = SweepFolder(folder)
    runs = Experiment(sweep.experiment)
    trials = run_trials(planned(AT_ONCE), runs, Flood(), lambda: monotonic() > end)

    def count(event: Event) -> None:
        nonlocal counted
        counted += isinstance(event, TrialReported)

    cpu = process_time()
    drain(logged(trials, sweep, ["sweep"]), count)
    told.send((counted, process_time() - cpu))


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """A sweep in a process of its own, as in a terminal, and how late its table is drawn here."""
    screen = Screen()
    console = Console(file=screen, force_terminal=True, width=120, height=40)
    own, theirs = Pipe()
    with TemporaryDirectory() as root:
        folder = SweepFolder.claim(Path(root))
        process = get_context("spawn").Process(target=drive, args=(folder.path, theirs))
        process.start()
        while not (folder.path / LOG).exists():
            sleep(0.05)
        cpu = process_time()
        Watcher(folder, is_new=True).drive(watch(folder), console)
        cpu = process_time() - cpu
        counted, spent = own.recv()
        process.join()
        log = (folder.path / LOG).stat().st_size
    times = screen.drawn[: -len(screen.drawn) // 20 or None]  # without the end
    lags = [later - earlier - 1 / DRAWN for earlier, later in pairwise(times)]
    lags = [lag for lag in lags if lag > -0.5 / DRAWN]  # two writes of one drawing
    detail = {
        "events_per_s": counted / SECONDS,
        "cpu_ms_per_event": 1000 * spent / counted,
        "watching_cpu_percent": 100 * cpu / SECONDS,
        "log_bytes": log,
        "drawings": len(lags),
        **summary(lags, "lag"),
    }
    what = f"the live table at {detail['events_per_s']:,.0f} events a second, p99 of its lateness"
    return [Figure("sweep_lag", what, detail["lag_p99_ms"], " ms", MOST, False, detail)]
