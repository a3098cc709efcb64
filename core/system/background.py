"""A slow job in a thread, with progress, a stop flag and a timeout."""

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
"""Seconds of silence after which a source is abandoned."""

TICK = 0.2
"""Seconds between events while nothing happens."""


class SourceError(Exception):
    """A source failed; the message is the reason, on one line."""


class JobProgress:
    """Progress of a job in a thread: the job updates it, the waiting thread reads it."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self.canceled = False
        self._last = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last update."""
        return time.monotonic() - self._last

    def update(self, done: int, total: int = 0) -> None:
        """Report `done` of `total` bytes (0: unknown); raises SourceError once canceled."""
        if self.canceled:
            raise SourceError("canceled")
        self.done, self.total = done, total
        self._last = time.monotonic()


def raise_if_stopped(stop: StopFlag) -> None:
    """Raise StoppedError if the stop flag is raised."""
    if stop():
        raise StoppedError("download stopped")


def raise_if_silent(silence: float, limit: float) -> None:
    """Raise SourceError if a job has been silent for more than `limit` seconds."""
    if silence > limit:
        raise SourceError(f"no answer in {limit:g} s")


def run_in_thread(
    job: Callable[[JobProgress], T], step: str, stop: StopFlag, limit: float = math.inf
) -> Stream[T]:
    """Run a job in its own thread, report its progress and return its result.

    A thread that hangs in a system call, such as a name lookup, is abandoned; as a daemon it does
    not keep the program from exiting.

    The job's exceptions are raised here; `step` names it in progress events.

    Raises:
        SourceError: the job made no progress for `limit` seconds.
        StoppedError: the stop flag is raised.
    """
    progress = JobProgress()
    future: Future[T] = Future()
    Thread(target=_run, args=(job, progress, future), daemon=True).start()
    try:
        while not future.done():
            raise_if_stopped(stop)
            raise_if_silent(progress.silence, limit)
            yield Progress(step, progress.done, progress.total, "B")
            wait([future], TICK)
    finally:
        progress.canceled = True
    return future.result()


def _run(job: Callable[[JobProgress], T], progress: JobProgress, future: Future[T]) -> None:
    try:
        future.set_result(job(progress))
    except BaseException as error:
        future.set_exception(error)
