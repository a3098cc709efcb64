"""A task from its first attempt to its result, and what its worker reports meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from core.errors import StoppedError
from core.events import Event
from core.executors.tasks import Done, Failed, Task
from core.jobs.net import Net

R = TypeVar("R")


class Assignment(Generic[R]):
    """A task whose result is of type R.

    Args:
        task: for the first attempt.
        base: the net it starts from.

    Attributes:
        losses: workers that were lost since its last checkpoint.
        failure: how it failed; None if it has not.
        stopping: whether it was asked to end early.
    """

    def __init__(self, task: Task, base: Net) -> None:
        self.base = base
        self.losses = 0
        self.failure: Failed | None = None
        self.stopping = False
        self._task = task
        self._news: deque[Event] = deque()
        self._result: Done | None = None

    @property
    def number(self) -> int:
        """The number of its task."""
        return self._task.number

    @property
    def ended(self) -> bool:
        """Whether it has a result, or has failed."""
        return self._result is not None or self.failure is not None

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before it had a result."""
        return self.failure is not None and self.failure.kind is StoppedError

    @property
    def result(self) -> R:
        """What came of it; raises the error of a failure."""
        if self.failure is not None:
            raise self.failure.kind(self.failure.error)
        assert self._result is not None
        result: R = self._result.result
        return result

    def task(self) -> Task:
        """The task for the next attempt; raises InputError if it cannot go on."""
        return self._task

    def take(self, message: Event | Done) -> None:
        """Take a message of its worker."""
        if isinstance(message, Done):
            self._result = message
        else:
            self._news.append(message)

    def lost(self, reason: str) -> None:
        """Note that its worker is gone, and that another one takes over."""

    def news(self) -> Iterator[Event]:
        """The events since the last call."""
        while self._news:
            yield self._news.popleft()

    def close(self) -> None:
        """Release what it holds."""
