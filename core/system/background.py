"""Waiting for a slow job while events flow, with a stop flag and a limit on silence."""

from __future__ import annotations

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
    """A source failed to provide a data set; the message is the reason, on one line."""


class JobProgress:
    """Progress of a job in a thread: the job beats it, the waiting thread reads it."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.wanted = True
        self._last = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last beat."""
        return time.monotonic() - self._last

    def beat(self, done: int, total: int = 0) -> None:
        """Report that `done` of `total` bytes have arrived (total 0: unknown).

        Raises:
            SourceError: nobody is waiting for the job any more.
        """
        if not self.wanted:
            raise SourceError("canceled")
        self.done, self.total = done, total
        self._last = time.monotonic()


def raise_if_stopped(stop: StopFlag) -> None:
    """Check the stop flag.

    Raises:
        StoppedError: it is raised.
    """
    if stop():
        raise StoppedError("download stopped")


def raise_if_silent(silence: float, limit: float) -> None:
    """Compare seconds of silence with a limit.

    Raises:
        SourceError: the limit is exceeded.
    """
    if silence > limit:
        raise SourceError(f"no answer in {limit:g} s")


def run_in_thread(
    job: Callable[[JobProgress], T], step: str, stop: StopFlag, limit: float = math.inf
) -> Stream[T]:
    """Run a job in its own thread and report its progress.

    A thread can be abandoned in a system call that hangs, such as a name lookup; as a daemon it
    does not keep the program from exiting.

    Args:
        job: takes a pulse to beat; its exceptions are raised here.
        step: what the job does, in a few words.
        stop: raised when the job is no longer wanted.
        limit: seconds of silence after which the job is abandoned.

    Returns:
        What the job returns.

    Raises:
        SourceError: the job is silent for longer than the limit.
        StoppedError: the stop flag is raised.
    """
    pulse = JobProgress()
    future: Future[T] = Future()
    Thread(target=_run, args=(job, pulse, future), daemon=True).start()
    try:
        while not future.done():
            raise_if_stopped(stop)
            raise_if_silent(pulse.silence, limit)
            yield Progress(step, pulse.done, pulse.total, "B")
            wait([future], TICK)
    finally:
        pulse.wanted = False
    return future.result()


def _run(job: Callable[[JobProgress], T], pulse: JobProgress, future: Future[T]) -> None:
    try:
        future.set_result(job(pulse))
    except BaseException as error:
        future.set_exception(error)
