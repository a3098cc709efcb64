"""Events a second through the driver, and how late the live table is drawn meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import cycle, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time

from rich.console import Console

from core.events import Batch, Event, Stream
from core.executors.events import TrialReported
from core.executors.packed import Begun
from core.executors.tasks import Message, Task
from core.experiments.experiment import Experiment
from core.jobs.net import Net
from core.sweep.driver import run_trials
from core.sweep.live.events import SweepResult
from core.sweep.live.folder import SweepFolder
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
    def places(self) -> int:
        return AT_ONCE

    @property
    def room(self) -> int:
        return AT_ONCE - len(self._numbers)

    def submit(self, task: Task, base: Net) -> None:
        begun = next(SCRIPT.run())
        assert isinstance(begun, Begun)
        self._new.append((task.number, begun))
        self._numbers.append(task.number)
        self._next = cycle(self._numbers)

    def stop(self, number: int) -> None:
        """Nothing: these trials never end."""

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


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """A sweep of 100 trials at once whose events come as fast as the driver takes them."""
    screen = Screen()
    console = Console(file=screen, force_terminal=True, width=120, height=40)
    counted = 0

    def watched(stream: Stream[SweepResult]) -> Stream[SweepResult]:
        nonlocal counted
        while True:
            try:
                event: Event = next(stream)
            except StopIteration as end:
                result: SweepResult = end.value
                return result
            counted += isinstance(event, TrialReported)
            yield event

    with TemporaryDirectory() as folder:
        end = monotonic() + SECONDS
        runs = Path(folder) / "runs"
        trials = run_trials(planned(AT_ONCE), Experiment(runs), Flood(), lambda: monotonic() > end)
        watcher = Watcher(SweepFolder.claim(runs), is_new=True)
        cpu = process_time()
        watcher.drive(watched(trials), console)
        cpu = process_time() - cpu
    times = [time for time in screen.drawn if time < end]
    lags = [later - earlier - 1 / DRAWN for earlier, later in pairwise(times)]
    lags = [lag for lag in lags if lag > -0.5 / DRAWN]  # two writes of one drawing
    detail = {
        "events_per_s": counted / SECONDS,
        "cpu_ms_per_event": 1000 * cpu / counted,
        "drawings": len(lags),
        **summary(lags, "lag"),
    }
    what = f"the live table at {detail['events_per_s']:,.0f} events a second, p99 of its lateness"
    return [Figure("sweep_lag", what, detail["lag_p99_ms"], " ms", MOST, False, detail)]
