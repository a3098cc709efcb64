"""Requests to end the program: Ctrl+C, `kill`, a closed terminal, a reader that has left."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from core.events import StopFlag

WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
"""The signals that end the program; not every system has all of them."""

SIGPIPE = 13
"""The number that stands for a reader that has left; Windows does not name it."""


class Interruption:
    """The requests so far; a context manager that listens to signals.

    By default a request raises KeyboardInterrupt. While a job runs, see `deferred`.

    Attributes:
        requests: the numbers of the signals received, the first one first.
    """

    def __init__(self) -> None:
        self.requests: list[int] = []
        self._respond: Callable[[], None] = at_once
        self._restore = ExitStack()

    @property
    def status(self) -> int:
        """The exit status of a program that a signal ended; Ctrl+C's if there was none."""
        return 128 + next(iter(self.requests), signal.SIGINT)

    @property
    def reason(self) -> str:
        """The first request, in words."""
        names = (signal.Signals(number).name for number in self.requests if number != SIGPIPE)
        return WORDS.get(next(names, "SIGINT"), "")

    def request(self, number: int) -> None:
        """Request an end without a signal, and without raising an error."""
        self.requests.append(number)

    @contextmanager
    def deferred(self, first: Callable[[], None], then: Callable[[], None]) -> Iterator[StopFlag]:
        """Let the enclosed job end by itself; its stop flag is raised by the first request.

        Args:
            first: called at the first request.
            then: called at each later one.
        """

        def respond() -> None:
            (first if len(self.requests) == 1 else then)()

        before, self._respond = self._respond, respond
        try:
            yield lambda: bool(self.requests)
        finally:
            self._respond = before

    def __enter__(self) -> Interruption:
        for name in WORDS:
            number = getattr(signal, name, None)
            # A program started by nohup, which ignores SIGHUP, goes on ignoring it.
            if number is not None and (
                name == "SIGINT" or signal.getsignal(number) != signal.SIG_IGN
            ):
                before = signal.signal(number, self._receive)
                self._restore.callback(signal.signal, number, before)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore.close()

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self.requests.append(number)
        self._respond()


def at_once() -> None:
    """End the program wherever it is."""
    raise KeyboardInterrupt
