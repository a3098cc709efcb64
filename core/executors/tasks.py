"""What goes to a worker and what comes back: plain data, tensors as bytes.

A `Task` is a trial whose plan is known. A worker answers with the events of a fine-tuning, then
with a `RecordedTrial`. Between processes both are packed: tensors travel as the bytes of a
safetensors file, everything else as numbers and text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from safetensors.torch import load, save

from core.errors import InputError
from core.events import Accuracy, Batch, Event, Progress, Stream
from core.experiments.run_record import RunRecord, read_record, record_json
from core.jobs.net import Net
from core.jobs.recorded_jobs import RecordedTrial
from core.nets.weights import Weights
from core.settings.settings import SETTINGS, Settings
from core.training.checkpoints import Checkpoint

PACE = 0.1
"""Seconds between two batches, or two steps of progress, that a worker reports."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A trial to run: all of it but the net it starts from.

    Attributes:
        number: of the trial.
        settings: of `Settings`, by name, as `plain_settings` makes them.
        plan: a sparsity for each layer.
        method: the method that turned a goal into the plan; empty if none did.
        base: the digest of the net to start from.
        resume: the state of the trial after its last epoch; None to start at the beginning.
        sources: files with the code of a user's own net, by relative path; the first one holds
            the net. Empty if the worker finds them itself.
    """

    number: int
    settings: Mapping[str, Any]
    plan: Mapping[str, float]
    method: str
    base: str
    resume: PackedCheckpoint | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun(Event):
    """A worker is about to train: the record of the run before it begins."""

    record: RunRecord


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial failed, and would again."""

    error: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone: the trial can go on elsewhere."""

    reason: str


Message = Event | RecordedTrial | Failed | Lost
"""What comes back from a worker."""


class Executor(Protocol):
    """Where trials run. Used by one thread."""

    @property
    def room(self) -> int:
        """How many more tasks it takes now."""

    def submit(self, task: Task, base: Net) -> None:
        """Run a task as soon as possible; `base` is the net it starts from."""

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """What has happened, with the number of the trial; waits for at most so long."""

    def close(self) -> None:
        """End all tasks at once; also after an error."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedCheckpoint(Event):
    """A `Checkpoint` in bytes."""

    tensors: bytes
    json: Mapping[str, Any]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> PackedCheckpoint:
        """Pack a checkpoint."""
        return cls(packed_tensors(checkpoint.tensors), checkpoint.json)

    def unpacked(self) -> Checkpoint:
        """The checkpoint."""
        return Checkpoint(load(self.tensors), self.json)


@dataclass(frozen=True, slots=True, eq=False)
class PackedTrial:
    """A `RecordedTrial` in bytes and JSON."""

    weights: bytes
    record: Mapping[str, Any]

    def unpacked(self) -> RecordedTrial:
        """The result of the trial."""
        return RecordedTrial(load(self.weights), _record(self.record))


@dataclass(frozen=True, slots=True, eq=False)
class PackedBegun:
    """A `Begun` in JSON."""

    record: Mapping[str, Any]

    def unpacked(self) -> Begun:
        """The beginning of the trial."""
        return Begun(_record(self.record))


@dataclass(frozen=True, slots=True, eq=False)
class PackedNet:
    """A net to start from, in bytes."""

    weights: bytes
    early: bytes | None
    accuracy: Accuracy
    trained: bool

    @classmethod
    def of(cls, net: Net) -> PackedNet:
        """Pack a net that is not the result of another run."""
        early = None if net.early is None else packed_tensors(net.early)
        return cls(packed_tensors(net.weights), early, net.accuracy, net.trained)

    def unpacked(self) -> tuple[Weights, Weights | None]:
        """Its weights, and those early in its training."""
        return load(self.weights), None if self.early is None else load(self.early)


Packed = Event | PackedTrial | PackedBegun | Failed
"""What a worker sends."""


def packed(stream: Stream[RecordedTrial]) -> Iterator[Packed]:
    """Run a trial in a worker; yields what it sends, of many batches only some.

    The trial's own errors become `Failed`; its result comes last.
    """
    sent = 0.0
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            result: RecordedTrial = end.value
            yield PackedTrial(packed_tensors(result.weights), record_json(result.record))
            return
        except Exception as error:
            yield Failed(_why(error))
            return
        now = monotonic()
        match event:
            case Checkpoint():
                yield PackedCheckpoint.of(event)
            case Begun():
                yield PackedBegun(record_json(event.record))
            case Batch() | Progress() if now - sent < PACE:
                pass
            case Batch() | Progress():
                sent = now
                yield event
            case _:
                yield event


def unpacked(message: Packed) -> Message:
    """What a worker meant."""
    if isinstance(message, PackedCheckpoint | PackedTrial | PackedBegun):
        return message.unpacked()
    return message


def packed_tensors(tensors: Mapping[str, Any]) -> bytes:
    """Tensors as the bytes of a safetensors file; those that share memory are stored apart."""
    return save({name: tensor.contiguous().clone() for name, tensor in tensors.items()})


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


def _record(data: Mapping[str, Any]) -> RunRecord:
    record, faults = read_record(data, "the worker's record")
    if faults:
        raise InputError(faults[0])
    return record


def _why(error: Exception) -> str:
    """An error on one line; of one that is not meant to happen, its type, too."""
    known = isinstance(error, InputError) or type(error).__module__.startswith("core.")
    text = " ".join(str(error).split())
    return text if known and text else f"{type(error).__name__}: {text}"
