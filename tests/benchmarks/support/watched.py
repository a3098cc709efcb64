"""The real app in a terminal of its own, with the lag of its event loop recorded.

    python -m tests.benchmarks.support.watched FILE [OPTION ...]

The options are `featherweight`'s. A task of the loop sleeps for a moment, again and again; the time
it oversleeps is how long a key pressed just then would have waited. When the app quits, FILE holds
the lags by the first word of the running job. For each key that changed the screen it also holds
the time from reading the key until the change was drawn, and the CPU time of the drawing thread in
between.
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

REPOSITORY = Path(__file__).parents[3]
NAP = 0.005
"""Seconds that the watching task sleeps."""

IDLE, KEY, COMPUTING = "idle", "key", "key, computing"

Lags = dict[str, list[float]]


class WatchedApp(FeatherweightApp):
    """Records the lag of its event loop until it quits."""

    CSS_PATH = [REPOSITORY / "tui" / name for name in FeatherweightApp.CSS_PATH]
    target: Path
    lags: Lags
    pressed: tuple[float, float] | None = None
    """When the key being handled came, and the CPU time of this thread until then."""
    handled: list[tuple[float, float]]
    """The same for keys whose changes are about to be drawn."""

    async def run_async(self, *given: Any, **options: Any) -> None:
        """Start watching with the loop."""
        self.lags, self.handled = defaultdict(list), []
        self.session.followers.append(self._note)
        watch = asyncio.create_task(self._watch())
        await super().run_async(*given, **options)
        watch.cancel()

    def exit(self, *given: Any, **options: Any) -> None:
        """Write the lags; quitting itself is not watched."""
        self.target.write_text(json.dumps(self.lags), encoding="utf-8")
        super().exit(*given, **options)

    async def on_event(self, event: events.Event) -> None:
        """Remember when a key came."""
        if isinstance(event, events.Key):
            self.pressed = event.time, thread_time()
        await super().on_event(event)

    def _note(self, _: State) -> None:
        """Note that the next drawing shows the change that a key made."""
        if self.pressed is not None:
            self.handled.append(self.pressed)
            self.pressed = None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        for came, computed in self.handled:
            self.lags[KEY].append(monotonic() - came)
            self.lags[COMPUTING].append(thread_time() - computed)
        self.handled.clear()

    async def _watch(self) -> None:
        while True:
            asleep = monotonic()
            await asyncio.sleep(NAP)
            lag = monotonic() - asleep - NAP
            activity = (
                self.activity.title.split()[0] if isinstance(self.activity, JobProgress) else IDLE
            )
            self.lags[activity].append(lag)


@contextmanager
def watched(
    *options: str, columns: int = 80, rows: int = 24, **environment: str
) -> Iterator[tuple[Terminal, Callable[[], Lags]]]:
    """The app in a terminal, and a function that returns its lags after it has quit."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "lags.json"
        command = ("-m", "tests.benchmarks.support.watched", str(target), *options)
        places = {f"XDG_{kind}_HOME": f"{folder}/{kind}" for kind in ("CONFIG", "DATA", "STATE")}
        with Terminal(
            *command,
            columns=columns,
            rows=rows,
            command=sys.executable,
            PYTHONPATH=str(REPOSITORY),
            **places,
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
    """Run the app and return its exit status."""
    WatchedApp.target = Path(sys.argv[1])
    with patch.object(tui.app, "FeatherweightApp", WatchedApp):
        return tui.cli.main.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
