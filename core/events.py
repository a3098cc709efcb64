"""What a long operation says while it works.

A long operation is a generator, a `Stream[T]`: it yields the frozen dataclasses of this module and
returns its result of type T. Whoever drives it decides what becomes of the events, and stops it by
not asking for the next one, or gracefully (so that it still returns a result) by a `StopFlag`
that it looks at between batches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

StopFlag = Callable[[], bool]


def never() -> bool:
    """A stop flag that is never raised."""
    return False


@dataclass(frozen=True, slots=True)
class Event:
    """Anything an operation says."""


Stream = Generator[Event, None, T]


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far one step of an operation is: `done` of `total` `unit`s (total 0: not known)."""

    step: str
    done: int = 0
    total: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something a person should know, such as why a source of data was given up."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracies in percent: choices look at `validation`, `test` is only reported."""

    validation: float
    test: float


@dataclass(frozen=True, slots=True)
class Measured(Event):
    """The accuracy of a stage (`dense`, `pruned` or `finetuned`) has been measured."""

    stage: str
    accuracy: Accuracy


@dataclass(frozen=True, slots=True)
class Batch(Event):
    """One optimiser step is done.

    Attributes:
        epoch: 1-based epoch this batch belongs to, of `epochs`.
        epochs: epochs in all.
        seen: images of this epoch trained on so far, of `images`.
        images: images in an epoch.
        loss: mean loss over the epoch so far.
        accuracy: accuracy on this batch before the step, in percent.
        seconds: time spent training since the start, without measuring.
    """

    epoch: int
    epochs: int
    seen: int
    images: int
    loss: float
    accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Epoch(Event):
    """One epoch is done and has been validated.

    Attributes:
        epoch: 1-based.
        loss: mean training loss of the epoch.
        validation: accuracy in percent on the split that choices look at.
        seconds: time the epoch took to train.
        sparsity: zeros over elements of all prunable weights, at the end of the epoch.
        final: the full plan was in force at the end of the epoch, so it can be the best one.
        revived: weights outside the masks in force that are not exactly zero; always 0.
    """

    epoch: int
    loss: float
    validation: float
    seconds: float
    sparsity: float
    final: bool
    revived: int


def drain(stream: Stream[T], sink: Callable[[Event], object] = lambda _: None) -> T:
    """Run a stream to its end, hand every event to `sink` and give the stream's result."""
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            result: T = end.value
            return result
        sink(event)
