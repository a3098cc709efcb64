"""The real app with a watch on its event loop, in a process and a terminal of its own.

    python -m tests.benchmarks.watched FILE [OPTION ...]

The options are `featherweight`'s. A task of the loop sleeps for a moment, again and again; how much
later than asked it wakes is how long a key pressed just then would have waited. When the app is
left, the lags are in FILE, by the first word of what it was doing; and for each key that changed
what is shown, how long it took from the moment when it was read until all that had been drawn, and
for how much of that the thread that draws had computed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import monotonic, thread_time
from typing import Any
from unittest.mock import patch

from rich.console import RenderableType
from textual import events
from textual.screen import Screen

import tui.app
import tui.cli.main
from tests.terminal.terminal import Terminal
from tui.app import FeatherweightApp
from tui.state.state import State
from tui.views.activity import JobProgress

REPOSITORY = Path(__file__).parents[2]
NAP = 0.005
"""Seconds between two looks at the clock."""

IDLE, KEY, COMPUTING = "idle", "key", "key, computing"

Lags = dict[str, list[float]]


class WatchedApp(FeatherweightApp):
    """Writes down how late its event loop is, until it is left."""

    CSS_PATH = str(REPOSITORY / "tui" / FeatherweightApp.CSS_PATH)
    target: Path
    lags: Lags
    pressed: tuple[float, float] | None = None
    """When the key came that is being answered, and what this thread had computed until then."""
    answered: list[tuple[float, float]]
    """The same of those whose answers are about to be drawn."""

    async def run_async(self, *given: Any, **options: Any) -> None:
        """Watch from the first moment of the loop on."""
        self.lags, self.answered = defaultdict(list), []
        self.session.followers.append(self._note)
        watch = asyncio.create_task(self._watch())
        await super().run_async(*given, **options)
        watch.cancel()

    def exit(self, *given: Any, **options: Any) -> None:
        """Leaving is no longer watched."""
        self.target.write_text(json.dumps(self.lags), encoding="utf-8")
        super().exit(*given, **options)

    async def on_event(self, event: events.Event) -> None:
        """Remember when a key came."""
        if isinstance(event, events.Key):
            self.pressed = event.time, thread_time()
        await super().on_event(event)

    def _note(self, _: State) -> None:
        """Where a state answers a key, the next drawing shows it."""
        if self.pressed is not None:
            self.answered.append(self.pressed)
            self.pressed = None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        for came, computed in self.answered:
            self.lags[KEY].append(monotonic() - came)
            self.lags[COMPUTING].append(thread_time() - computed)
        self.answered.clear()

    async def _watch(self) -> None:
        while True:
            asleep = monotonic()
            await asyncio.sleep(NAP)
            late = monotonic() - asleep - NAP
            doing = self.doing.title.split()[0] if isinstance(self.doing, JobProgress) else IDLE
            self.lags[doing].append(late)


@contextmanager
def watched(
    *options: str, columns: int = 80, rows: int = 24, **environment: str
) -> Iterator[tuple[Terminal, Callable[[], Lags]]]:
    """The app in a terminal, and what gives its lags once it has been left."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "lags.json"
        command = ("-m", "tests.benchmarks.watched", str(target), *options)
        with Terminal(
            *command,
            columns=columns,
            rows=rows,
            command=sys.executable,
            PYTHONPATH=str(REPOSITORY),
            **environment,
        ) as terminal:
            yield terminal, lambda: json.loads(target.read_text(encoding="utf-8"))


def summary(lags: list[float], name: str) -> dict[str, float]:
    """Median, 99th percentile and longest, in milliseconds."""
    return {
        f"{name}_p50_ms": 1000 * median(lags),
        f"{name}_p99_ms": 1000 * quantiles(lags, n=100, method="inclusive")[98],
        f"{name}_longest_ms": 1000 * max(lags),
    }


def main() -> int:
    """Run the app; its exit status."""
    WatchedApp.target = Path(sys.argv[1])
    with patch.object(tui.app, "FeatherweightApp", WatchedApp):
        return tui.cli.main.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
