"""A worker process on this machine: it gets its tasks through a pipe, and answers through it.

Loads torch only once it has its first task: the driver waits until that is read, so workers that
are started one after the other load it side by side.
"""

from __future__ import annotations

import pickle
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


@dataclass(frozen=True)
class Stop:
    """Asks a worker to end its task early, unless that has ended."""

    number: int


def work(pipe: Connection) -> None:
    """Run the tasks that come through a pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the driver, which ends this
    if hasattr(signal, "pthread_sigmask"):  # it was blocked until here
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with suppress(EOFError, OSError):  # the driver is gone
        _run_tasks(pipe, pipe.recv_bytes())


def _run_tasks(pipe: Connection, message: bytes) -> None:
    """Run tasks, beginning with the one in a message that has been read."""
    from core.executors.packed import packed
    from core.executors.runner import TaskRunner

    runner = TaskRunner()
    while True:
        received = pickle.loads(message)  # as `pipe.recv` does; it comes from the driver
        del message  # it may be as large as a net
        if not isinstance(received, Stop):  # else of a task that has just ended
            task, base = received
            for event in packed(runner.run(task, base, _StopFlag(pipe))):
                pipe.send(event)
        message = pipe.recv_bytes()


class _StopFlag:
    """Raised once a pipe has something to say while a task runs, which can only be to stop."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._raised = pipe, False

    def __call__(self) -> bool:
        if not self._raised and self._pipe.poll():
            self._pipe.recv()
            self._raised = True
        return self._raised
