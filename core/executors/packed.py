"""What crosses between processes: tensors as the bytes of a safetensors file, all else as is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from safetensors.torch import load, save

from core.errors import InputError
from core.events import Accuracy, Batch, Event, Progress, Stream
from core.executors.tasks import Done, Failed, Lost, Message
from core.experiments.run_record import RunRecord, read_record, record_json
from core.jobs.net import Net
from core.jobs.recorded_jobs import RecordedTrial
from core.nets.weights import Weights
from core.training.checkpoints import Checkpoint

PACE = 0.25
"""Seconds between two batches, or two steps of progress, that a worker reports."""

SHARE, ALLOWANCE = 0.05, 2.0
"""The share of a task's time, and the seconds beside it, that a worker may spend on sending."""

KEPT = 4
"""Packed nets that are kept for the next task; many tasks start from few nets."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Begun(Event):
    """A worker is about to train: the record of the run before it begins."""

    record: RunRecord


@dataclass(frozen=True, slots=True, eq=False)
class PackedCheckpoint(Event):
    """A `Checkpoint` in bytes."""

    tensors: bytes
    json: Mapping[str, Any]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> PackedCheckpoint:
        """Pack a checkpoint, whose tensors are copies of their own."""
        return cls(save(dict(checkpoint.tensors)), checkpoint.json)

    def unpacked(self) -> Checkpoint:
        """The checkpoint."""
        return Checkpoint(load(self.tensors), self.json)


@dataclass(frozen=True, slots=True, eq=False)
class PackedTrial:
    """A `RecordedTrial` in bytes and JSON."""

    weights: bytes
    record: Mapping[str, Any]

    @classmethod
    def of(cls, trial: RecordedTrial) -> PackedTrial:
        """Pack the result of a trial."""
        return cls(packed_tensors(trial.weights), record_json(trial.record))

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
    """A net to start from, in bytes; `run` and `dense` are as in `Net`."""

    weights: bytes
    early: bytes | None
    dense_weights: bytes | None
    accuracy: Accuracy
    trained: bool
    run: str | None = None
    dense: Accuracy | None = None

    @classmethod
    def of(cls, net: Net) -> PackedNet:
        """Pack a net."""
        early, dense = (
            None if weights is None else packed_tensors(weights)
            for weights in (net.early, net.dense_weights)
        )
        weights = packed_tensors(net.weights)
        return cls(weights, early, dense, net.accuracy, net.trained, net.run, net.dense)

    def unpacked(self) -> tuple[Weights, Weights | None, Weights | None]:
        """Its weights, those early in its training, and those of the dense net."""
        early, dense = (
            None if weights is None else load(weights)
            for weights in (self.early, self.dense_weights)
        )
        return load(self.weights), early, dense


class PackedNets(Generic[T]):
    """The nets that tasks start from, each packed once; the last few are kept.

    Args:
        store: what to do with a packed net before it goes to workers.
    """

    def __init__(self, store: Callable[[PackedNet], T]) -> None:
        self._store = store
        self._kept: OrderedDict[str, T] = OrderedDict()

    def of(self, digest: str, net: Net) -> T:
        """A net, which has this digest, as it was stored."""
        if digest not in self._kept:
            self._kept[digest] = self._store(PackedNet.of(net))
        self._kept.move_to_end(digest)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[digest]


Packed = Event | PackedBegun | Done | Failed
"""What a worker sends."""


def packed(stream: Stream[Any]) -> Iterator[Packed]:
    """Do the work of a task in a worker; yields the messages to send, see `_Pace`.

    The work's own errors become `Failed`; its result comes last.
    """
    pace = _Pace()
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            result = end.value
            yield Done(PackedTrial.of(result) if isinstance(result, RecordedTrial) else result)
            return
        except Exception as error:
            yield Failed.of(error)
            return
        if pace.allows(event):
            with pace.sending():
                yield _packed(event)


class _Pace:
    """Chooses what a worker sends: of batches and steps of progress, as many as are drawn.

    Checkpoints are left out while sending takes more than its share of the time. So a driver that
    cannot keep up gets fewer of them, and the training does not wait for it.
    """

    def __init__(self) -> None:
        self._began, self._reported, self._spent = monotonic(), 0.0, 0.0

    def allows(self, event: Event) -> bool:
        now = monotonic()
        match event:
            case Checkpoint():
                return self._spent <= ALLOWANCE + SHARE * (now - self._began)
            case Batch() | Progress() if now - self._reported < PACE:
                return False
            case Batch() | Progress():
                self._reported = now
        return True

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Time what it takes to pack an event, and to wait until it is taken."""
        start = monotonic()
        yield
        self._spent += monotonic() - start


def _packed(event: Event) -> Event | PackedBegun:
    match event:
        case Checkpoint():
            return PackedCheckpoint.of(event)
        case Begun():
            return PackedBegun(record_json(event.record))
        case _:
            return event


def unpacked(message: Packed | Lost) -> Message:
    """A message as it was before it was packed."""
    match message:
        case PackedCheckpoint() | PackedBegun():
            return message.unpacked()
        case Done(result=PackedTrial() as trial):
            return Done(trial.unpacked())
        case _:
            return message


def packed_tensors(tensors: Mapping[str, Any]) -> bytes:
    """Tensors as the bytes of a safetensors file; those that share memory are stored apart."""
    return save({name: tensor.contiguous().clone() for name, tensor in tensors.items()})


def _record(data: Mapping[str, Any]) -> RunRecord:
    record, faults = read_record(data, "the worker's record")
    if faults:
        raise InputError(faults[0])
    return record
