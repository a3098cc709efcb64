"""Trials in this process, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError, WorkError
from core.events import Stream
from core.executors.runner import run_task
from core.executors.tasks import Failed, Message, Task, settings_from
from core.jobs.net import Net
from core.jobs.recorded_jobs import RecordedTrial
from core.jobs.workbench import Workbench


class InProcess:
    """An `Executor` that runs one trial at a time, while it is polled.

    Args:
        workbench: of the sweep; its images serve every trial.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._current: tuple[int, Stream[RecordedTrial]] | None = None

    @property
    def room(self) -> int:
        """One, unless a trial is running."""
        return int(self._current is None)

    def submit(self, task: Task, base: Net) -> None:
        """Make a task the current one."""
        workbench = self._workbench.with_settings(settings_from(task.settings))
        self._current = task.number, run_task(workbench, base, task)

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """Run the current trial to its next event."""
        if self._current is None:
            return ()
        number, stream = self._current
        message: Message
        try:
            message = next(stream)
        except StopIteration as end:
            message = end.value
        except (InputError, WorkError) as error:
            message = Failed(str(error))
        else:
            return ((number, message),)
        self._current = None
        return ((number, message),)

    def close(self) -> None:
        """Drop the current trial."""
        if self._current is not None:
            self._current[1].close()
            self._current = None
