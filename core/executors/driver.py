"""Hands tasks to an executor, and takes what their workers send; resubmits lost ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count

from core.errors import InputError, StoppedError
from core.events import Event, StopFlag, Stream, relayed
from core.executors.assignment import Assignment, R
from core.executors.events import Notices
from core.executors.side_by_side import WAITING, T, Waiting
from core.executors.tasks import Executor, Failed, Lost, Message

ATTEMPTS = 3
"""A task whose worker is lost this often in the same epoch fails: it may well be what kills them.

One that goes with its whole node does not count. Nodes leave for reasons of their own.
"""

WAIT = 0.2
"""Seconds between two looks at the stop flag."""


class Driver:
    """The assignments in progress.

    Attributes:
        numbers: for tasks that have none of their own.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._active: dict[int, Assignment[object]] = {}
        self.numbers = count(1)

    @property
    def places(self) -> int:
        """How many assignments run at once."""
        return self._executor.places

    @property
    def room(self) -> int:
        """How many more can begin now."""
        return self._executor.room

    def submit(self, assignment: Assignment[R]) -> None:
        """Begin an assignment; it fails at once if its checkpoint cannot be read."""
        try:
            task = assignment.task()
        except InputError as error:
            assignment.failure = Failed.of(error)
            return
        self._active[assignment.number] = assignment  # type: ignore[assignment]
        self._executor.submit(task, assignment.base)

    def poll(self) -> list[Assignment[object]]:
        """Wait for messages, for a short time; returns the assignments that got some."""
        heard: dict[int, Assignment[object]] = {}
        for number, message in self._executor.poll(WAIT):
            if (assignment := self._active.get(number)) is None:
                continue
            heard[number] = assignment
            self._take(assignment, message)
            if assignment.ended:
                self._drop(assignment)
        return list(heard.values())

    def stop(self, assignment: Assignment[R]) -> None:
        """Ask an assignment to end early with what it has."""
        assignment.stopping = True
        self._executor.stop(assignment.number)

    def close(self) -> None:
        """End what is in progress; runs can be resumed."""
        try:
            self._executor.close()
        finally:
            for assignment in list(self._active.values()):
                self._drop(assignment)

    def run(self, assignment: Assignment[R], stop: StopFlag) -> Stream[R]:
        """Run an assignment to its result, inside of a stream that is `attended`.

        Raises:
            StoppedError: `stop` was raised; its run can be resumed.
            InputError, WorkError: it failed.
        """
        while self.room <= 0:
            yield from _wait(stop)
        self.submit(assignment)
        try:
            while not assignment.ended:
                yield from assignment.news()
                if not assignment.ended:
                    yield from _wait(stop)
            yield from assignment.news()
        finally:
            if assignment.number in self._active:  # given up while others may go on
                self.stop(assignment)
                self._drop(assignment)
        return assignment.result

    def _drop(self, assignment: Assignment[R]) -> None:
        """Forget an assignment, and release what it holds."""
        del self._active[assignment.number]
        assignment.close()

    def _take(self, assignment: Assignment[object], message: Message) -> None:
        match message:
            case Failed():
                assignment.failure = message
            case Lost() if assignment.stopping:
                assignment.failure = Failed(message.reason, StoppedError)
            case Lost():
                self._resubmit(assignment, message)
            case _:
                assignment.take(message)

    def _resubmit(self, assignment: Assignment[object], lost: Lost) -> None:
        """Let an assignment go on with another worker, unless it has lost too many."""
        assignment.losses += not lost.with_node
        if assignment.losses < ATTEMPTS:
            assignment.lost(lost.reason)
            self.submit(assignment)
        else:
            reason = f"its worker was lost {ATTEMPTS} times: {lost.reason}"
            assignment.failure = Failed(reason)


def attended(stream: Stream[T], driver: Driver) -> Stream[T]:
    """Run a stream to its end while `driver`, which is closed then, polls its workers.

    A notice comes once, however many workers give it.
    """
    notices = Notices()

    def heard(event: Event) -> Iterator[Event]:
        if isinstance(event, Waiting):
            driver.poll()
        elif notices.is_news(event):
            yield event

    with closing(driver):
        return (yield from relayed(stream, heard))


def _wait(stop: StopFlag) -> Stream[None]:
    if stop():
        raise StoppedError("stopped")
    yield WAITING
