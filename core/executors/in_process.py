"""Tasks in this process, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import OutOfMemoryError

from core.errors import InputError, WorkError
from core.events import Stream
from core.executors.tasks import Done, Failed, Message, Task, settings_from
from core.jobs.net import Net
from core.jobs.workbench import Workbench


class InProcess:
    """An `Executor` that runs one task at a time, while it is polled.

    Args:
        workbench: whose images serve every task.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._current: tuple[int, Stream[Any]] | None = None
        self._stopped = set[int]()

    @property
    def places(self) -> int:
        """One."""
        return 1

    @property
    def room(self) -> int:
        """One, unless a task is running."""
        return int(self._current is None)

    def submit(self, task: Task, base: Net) -> None:
        """Make a task the current one."""
        workbench = self._workbench.with_settings(settings_from(task.settings))
        number = task.number
        self._stopped.discard(number)
        stream = task.work.run(workbench, base, lambda: number in self._stopped)
        self._current = number, stream

    def stop(self, number: int) -> None:
        """Raise the stop flag of a task."""
        self._stopped.add(number)

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """Run the current task to its next event."""
        if self._current is None:
            return ()
        number, stream = self._current
        message: Message
        try:
            message = next(stream)
        except StopIteration as end:
            message = Done(end.value)
        except (InputError, WorkError, MemoryError, OutOfMemoryError) as error:
            message = Failed.of(error)
        else:
            return ((number, message),)
        self._current = None
        return ((number, message),)

    def close(self) -> None:
        """Drop the current task."""
        if self._current is not None:
            self._current[1].close()
            self._current = None
