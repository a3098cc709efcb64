"""What goes to a worker and what comes back: plain data, tensors as bytes.

A `Task` is work to do with a net. A worker answers with the events of the work, then with its
result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from core.errors import InputError, StoppedError, WorkError
from core.events import Event, StopFlag, Stream
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.calls import NetError
from core.settings.settings import SETTINGS, Settings


class Work(Protocol):
    """What a worker does with a net; plain data. `core.executors.work` has the kinds."""

    def run(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[Any]:
        """Do the work with the settings of `workbench`; returns plain data or a `RecordedTrial`."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Work to do: all of it but the net it starts from.

    Attributes:
        number: of the task.
        settings: of `Settings`, by name, as `plain_settings` makes them.
        base: the digest of the net to start from.
        sources: files with the code of a user's own net, by relative path; the first one holds
            the net. Empty if the worker finds them itself.
    """

    number: int
    settings: Mapping[str, Any]
    base: str
    work: Work
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """The work is done."""

    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The work failed, and would again.

    Attributes:
        kind: of error; `StoppedError` if it was stopped before it had a result, `WorkError` for
            an exception of any other library.
    """

    error: str
    kind: type[InputError | WorkError] = WorkError

    @classmethod
    def of(cls, error: Exception) -> Failed:
        """An error on one line; with its type, unless it is one of `core.errors`."""
        text = " ".join(str(error).split())
        for kind in (StoppedError, NetError, InputError, WorkError):
            if isinstance(error, kind) and text:
                return cls(text, kind)
        return cls(f"{type(error).__name__}: {text}")


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone: the work can go on elsewhere.

    Attributes:
        with_node: its whole node is gone, so that it is not the work that ended it.
    """

    reason: str
    with_node: bool = False


Message = Event | Done | Failed | Lost
"""What comes back from a worker; the last three come last."""


class Executor(Protocol):
    """Where tasks run. Used by one thread."""

    @property
    def places(self) -> int:
        """How many tasks run at once, as far as is known now."""

    @property
    def room(self) -> int:
        """How many more tasks it takes now."""

    def submit(self, task: Task, base: Net) -> None:
        """Run a task as soon as possible; `base` is the net it starts from."""

    def stop(self, number: int) -> None:
        """Ask a task to end early with what it has; its last message comes as ever."""

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """The messages since the last call, with their task's number; waits for at most so long."""

    def close(self) -> None:
        """End all tasks at once; also after an error."""


def plain_settings(settings: Settings) -> dict[str, Any]:
    """The settings that differ from the defaults, by name, as JSON types."""
    owners = (settings, settings.inputs, settings.changes)
    values = {}
    for name, declared in SETTINGS.items():
        value = next(getattr(owner, name) for owner in owners if hasattr(owner, name))
        if value != declared.default:
            values[name] = str(value) if isinstance(value, Path) else value
    return values


def settings_from(plain: Mapping[str, Any]) -> Settings:
    """The settings that `plain_settings` has taken apart; raises InputError if they are none."""
    paths = {name for name in ("data_dir", "weights") if name in plain}
    return Settings.of({**plain, **{name: Path(plain[name]) for name in paths}})


def on_worker(task: Task, threads: int) -> Task:
    """A task for another process: with so many threads, unless its settings say how many.

    Its net comes with it, so it needs no file of weights.
    """
    settings = {"threads": threads, **task.settings}
    settings.pop("weights", None)
    return replace(task, settings=settings)
