"""A blocking call, such as a download, in a thread: with progress, a stop flag and a timeout."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds without progress after which a source is abandoned."""

TICK = 0.2
"""Seconds between events while nothing happens."""


class SourceError(Exception):
    """A source failed; the message is the reason, on one line."""


class CallProgress:
    """Progress of a blocking call: the call updates it, the waiting thread reads it."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self.canceled = False
        self._last = time.monotonic()

    def update(self, done: int, total: int = 0) -> None:
        """Report `done` of `total` bytes (0: unknown); raises SourceError once canceled."""
        if self.canceled:
            raise SourceError("canceled")
        self.done, self.total = done, total
        self._last = time.monotonic()

    def raise_if_silent(self, limit: float) -> None:
        """Raise SourceError if the last update is more than `limit` seconds old."""
        if time.monotonic() - self._last > limit:
            raise SourceError(f"no response in {limit:g} s")


def raise_if_stopped(stop: StopFlag) -> None:
    """Raise StoppedError if the stop flag is raised."""
    if stop():
        raise StoppedError("download stopped")


def run_in_thread(
    call: Callable[[CallProgress], T], step: str, stop: StopFlag, limit: float = math.inf
) -> Stream[T]:
    """Run a blocking call in its own thread, report its progress and return its result.

    A thread that hangs in a system call, such as a name lookup, is abandoned; as a daemon it does
    not keep the program from exiting.

    The call's exceptions are raised here; `step` names it in progress events.

    Raises:
        SourceError: the call made no progress for `limit` seconds.
        StoppedError: the stop flag is raised.
    """
    progress = CallProgress()
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call(progress))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    try:
        while not future.done():
            raise_if_stopped(stop)
            progress.raise_if_silent(limit)
            yield Progress(step, progress.done, progress.total, "B")
            wait([future], TICK)
    finally:
        progress.canceled = True
    return future.result()
