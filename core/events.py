"""Events: what a long operation reports while it works.

A long operation is a generator, a `Stream[T]`: it yields the frozen dataclasses of this module and
returns its result of type T. The caller decides what to do with the events. To stop it, the caller
stops asking for the next event or, for an early result, raises a `StopFlag`, which is checked
between batches.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Generic, TypeVar

T = TypeVar("T")

StopFlag = Callable[[], bool]


def never() -> bool:
    """A stop flag that is never raised."""
    return False


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


Stream = Generator[Event, None, T]


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """Progress of one step of an operation: `done` of `total` `unit`s (total 0: unknown).

    Parts without a unit say only how much of it is done.
    """

    step: str
    done: int = 0
    total: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Portion(Event):
    """The events that follow belong to this portion of the whole operation.

    It reaches from `start` to `end`, as fractions of the time the operation is expected to take.
    `Progress` and `Batch` say how much of it is done; after a `Batch` only `Batch` does.
    """

    start: float
    end: float

    def part(self, inner: "Portion") -> "Portion":
        """A portion of this portion."""
        width = self.end - self.start
        return Portion(self.start + inner.start * width, self.start + inner.end * width)


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something the user should know, such as why a data source failed.

    Attributes:
        lost: a result could not be stored; the command line exits with status 1.
        short: the same in fewer words, for where there is no room; empty if there are none.
    """

    text: str
    warning: bool = False
    lost: bool = False
    short: str = ""


@dataclass(frozen=True, slots=True)
class TrainingNeeded(Event):
    """There is no trained net yet, so the one opened is untrained; see `core.jobs.dense_net`.

    Attributes:
        net: the model and the data set, in words.
    """

    net: str


@dataclass(frozen=True, slots=True)
class DenseTrainingStarted(Event):
    """There is no trained net yet, so one is trained, for at most so many epochs."""

    epochs: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracies in percent: decisions use `validation`; `test` is only reported.

    Attributes:
        images: those of validation and of test; 0 if unknown.
    """

    validation: float
    test: float
    images: tuple[int, int] = field(
        default=(0, 0), compare=False, repr=False, metadata={"stored": False}
    )


@dataclass(frozen=True, slots=True)
class Measured(Event):
    """The accuracy of a stage (`dense`, `pruned`, `reconstructed`, `finetuned`, ...) is known."""

    stage: str
    accuracy: Accuracy


@dataclass(frozen=True, slots=True)
class Batch(Event):
    """One optimizer step is done, in `epoch` of `epochs`, counted from 1.

    Attributes:
        seen: images of this epoch trained on so far, of `images`.
        loss: mean loss over the epoch so far.
        accuracy: accuracy on this batch before the step, in percent.
        seconds: training time since the start, measurements excluded.
        rate: the learning rate of this step; 0 if unknown.
        sparsity: zeros over elements of all prunable weights after this step; 0 while dense.
    """

    epoch: int
    epochs: int
    seen: int
    images: int
    loss: float
    accuracy: float
    seconds: float
    rate: float = 0.0
    sparsity: float = 0.0


@dataclass(frozen=True, slots=True)
class Epoch(Event):
    """One epoch, counted from 1, is done and has been validated.

    Attributes:
        loss: mean over the epoch.
        validation: accuracy in percent.
        sparsity: zeros over elements of all prunable weights, at the end of the epoch.
        final: the full plan was in force at the end of the epoch, so it can be the best one.
        revived: weights outside the masks in force that are not exactly zero; always 0.
        images: that it was validated on; 0 if unknown.
    """

    epoch: int
    loss: float
    validation: float
    seconds: float
    sparsity: float
    final: bool
    revived: int
    images: int = 0


class _Events(Generic[T]):
    """The events of a stream, to loop over; after that, its `result`."""

    result: T

    def __init__(self, stream: Stream[T]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Event]:
        self.result = yield from self._stream


def drain(stream: Stream[T], sink: Callable[[Event], object] = lambda _: None) -> T:
    """Run a stream to its end, pass every event to `sink`, and return the stream's result.

    If `sink` raises, the stream is closed, so that it releases what it holds.
    """
    with closing(stream):
        for event in (events := _Events(stream)):
            sink(event)
    return events.result


def relayed(stream: Stream[T], relay: Callable[[Event], Iterable[Event]]) -> Stream[T]:
    """Run a stream to its end, yield what `relay` makes of each event, and return its result.

    Example:
        >>> def stream():
        ...     yield Notice("one")
        ...     return 1
        >>> twice = relayed(stream(), lambda event: (event, event))
        >>> drain(twice, lambda event: print(event.text))
        one
        one
        1
    """
    with closing(stream):
        for event in (events := _Events(stream)):
            yield from relay(event)
    return events.result


def portions(*costs: float) -> tuple[Portion, ...]:
    """The consecutive portions of an operation whose steps take times in proportion to `costs`.

    Example:
        >>> portions(1, 3)
        (Portion(start=0.0, end=0.25), Portion(start=0.25, end=1.0))
    """
    total = sum(costs) or 1
    ends = [0.0, *(end / total for end in accumulate(costs))]
    return tuple(Portion(start, end) for start, end in pairwise(ends))


def within(portion: Portion, stream: Stream[T]) -> Stream[T]:
    """Make a whole operation a portion of a longer one."""

    def part(event: Event) -> Iterable[Event]:
        return (portion.part(event) if isinstance(event, Portion) else event,)

    with closing(stream):
        yield portion
        return (yield from relayed(stream, part))
