"""Waiting for something slow while events flow, a stop is heeded and silence has a limit."""

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

LIMIT = 10.0
"""Seconds without a sign of life after which a source is given up."""

TICK = 0.2
"""Seconds between two events while nothing happens."""


class SourceError(Exception):
    """A source does not give a data set; the message is the reason, on one line."""


class Pulse:
    """How far a job in a thread is: the job beats it, the one who waits looks at it."""

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
        """Say that `done` of `total` bytes are there (total 0: not known).

        Raises:
            SourceError: nobody waits for the job any more.
        """
        if not self.wanted:
            raise SourceError("given up")
        self.done, self.total = done, total
        self._last = time.monotonic()


def heed(stop: StopFlag) -> None:
    """Look at the stop flag.

    Raises:
        StoppedError: it is raised.
    """
    if stop():
        raise StoppedError("fetch stopped")


def too_silent(silence: float, limit: float) -> None:
    """Compare seconds of silence with a limit.

    Raises:
        SourceError: the limit is passed.
    """
    if silence > limit:
        raise SourceError(f"no answer in {limit:g} s")


def follow(
    job: Callable[[Pulse], T], step: str, stop: StopFlag, limit: float = math.inf
) -> Stream[T]:
    """Run a job in a thread of its own and tell how far it is.

    Only a thread can be left behind in a system call that hangs, such as a name look-up; being a
    daemon, it does not keep the program from ending.

    Args:
        job: gets a pulse to beat; what it raises is raised here.
        step: what the job does, in a few words.
        stop: raised when the job is no longer wanted.
        limit: seconds of silence after which the job is given up.

    Returns:
        What the job returns.

    Raises:
        SourceError: the job is silent for longer than the limit.
        StoppedError: the stop flag is raised.
    """
    pulse = Pulse()
    future: Future[T] = Future()
    Thread(target=_run, args=(job, pulse, future), daemon=True).start()
    try:
        while not future.done():
            heed(stop)
            too_silent(pulse.silence, limit)
            yield Progress(step, pulse.done, pulse.total, "B")
            wait([future], TICK)
    finally:
        pulse.wanted = False
    return future.result()


def _run(job: Callable[[Pulse], T], pulse: Pulse, future: Future[T]) -> None:
    try:
        future.set_result(job(pulse))
    except BaseException as error:
        future.set_exception(error)
