"""Events a second through the driver, and how late the live table of their sweep is drawn.

    python -m tests.benchmarks.sweep.drawing FOLDER

is the process of the sweep: it runs a hundred trials whose events come as fast as the driver takes
them, and writes them into FOLDER. The table is drawn by this one, as in a terminal.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import count, cycle, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time, sleep

from rich.console import Console

from core.events import Batch, Epoch, Event, drain
from core.executors.events import TrialReported
from core.executors.tasks import Message, Task
from core.experiments.experiment import Experiment
from core.jobs.net import Net
from core.sweep.driver import run_trials
from core.sweep.live.folder import LOG, SweepFolder
from core.sweep.live.log import logged
from core.sweep.live.watching import watch
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.watched import summary
from tests.benchmarks.sweep.scripted import SCRIPT, planned
from tui.cli.sweeps.watcher import DRAWN, Watcher

AT_ONCE, SECONDS = 100, 20.0
LEAST, MOST = 5_000.0, 50.0

BATCHES = 100
"""Events of a trial for each of its epochs."""


class Flood:
    """An executor whose trials report a batch whenever they are asked, and never end."""

    def __init__(self) -> None:
        self._new: list[tuple[int, Message]] = []
        self._numbers: list[int] = []
        self._events: Iterator[tuple[int, Message]] = iter(())

    @property
    def places(self) -> int:
        return AT_ONCE

    @property
    def room(self) -> int:
        return AT_ONCE - len(self._numbers)

    def submit(self, task: Task, base: Net) -> None:
        begun = next(SCRIPT.run())
        self._new.append((task.number, begun))
        self._numbers.append(task.number)
        self._events = self._reports()

    def stop(self, number: int) -> None:
        """Nobody stops one."""

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        new, self._new = self._new, []
        return new or [next(self._events)]

    def close(self) -> None:
        self._numbers.clear()

    def _reports(self) -> Iterator[tuple[int, Message]]:
        for place, number in zip(count(), cycle(self._numbers)):
            if place // AT_ONCE % BATCHES == BATCHES - 1:
                yield number, Epoch(1, 0.5, 98.0, 1.0, 0.9, True, 0, 5_000)
            else:
                yield number, Batch(1, 2, 100, 1_000, 0.5, 90.0, 1.0)


class Screen(StringIO):
    """A terminal that remembers when it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[float] = []

    def write(self, text: str) -> int:
        self.drawn.append(monotonic())
        return len(text)


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """A hundred trials at once, watched for a while."""
    screen = Screen()
    console = Console(file=screen, force_terminal=True, width=120, height=40)
    with TemporaryDirectory() as experiment:
        folder = SweepFolder.claim(Path(experiment))
        command = [sys.executable, "-m", __name__, str(folder.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            while process.poll() is None and not (folder.path / LOG).is_file():
                sleep(0.1)
            watcher = Watcher(folder, is_new=True)
            cpu = process_time()
            watcher.drive(watch(folder, pause=watcher.pause), console)
            cpu = process_time() - cpu
            assert process.stdout is not None
            driver = json.loads(process.stdout.read())
    gaps = [later - earlier for earlier, later in pairwise(screen.drawn)]
    lags = [gap - 1 / DRAWN for gap in gaps if gap > 0.5 / DRAWN]  # else of the same drawing
    detail = {**driver, "drawings": len(lags), "watching_cpu": cpu, **summary(lags, "lag")}
    rate = driver["events_per_s"]
    through = f"events of {AT_ONCE} trials at once through the driver"
    late = f"the live table meanwhile ({rate:,.0f} events a second): lateness, p99"
    return [
        Figure("sweep_events", through, rate, " a second", LEAST, True, detail),
        Figure("sweep_lag", late, detail["lag_p99_ms"], " ms", MOST, False, detail),
    ]


def main() -> None:
    """Run the sweep, and print what its events have cost."""
    folder, counted = SweepFolder(Path(sys.argv[1])), 0
    end = monotonic() + SECONDS
    trials, experiment = planned(AT_ONCE), Experiment(folder.experiment)
    stream = run_trials(trials, experiment, Flood(), lambda: monotonic() > end)

    def note(event: Event) -> None:
        nonlocal counted
        counted += isinstance(event, TrialReported)

    cpu = process_time()
    drain(logged(stream, folder, ("sweep",)), note)
    cpu = process_time() - cpu
    print(json.dumps({"events_per_s": counted / SECONDS, "cpu_ms_per_event": 1e3 * cpu / counted}))


if __name__ == "__main__":
    main()
