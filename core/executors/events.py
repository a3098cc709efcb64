"""The events of trials that run on workers. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.events import Event, Notice, Portion, Stream, relayed
from core.executors.side_by_side import T, Waiting


@dataclass(frozen=True, slots=True)
class TrialLabel:
    """Which trial it is.

    Attributes:
        number: from 1.
        group: what it shares with the trials that differ only in their seed, in words.
    """

    number: int
    group: str
    seed: int

    def __str__(self) -> str:
        """In words: `trial 3 (20x lamp, seed 0)`."""
        return f"trial {self.number} ({self.group}, seed {self.seed})"


@dataclass(frozen=True, slots=True)
class TrialBegan(Event):
    """A worker trains a trial, from the start or from its last epoch.

    Attributes:
        run: its run; None if it is not recorded.
        ratio: as planned.
    """

    trial: TrialLabel
    run: str | None
    ratio: float | None
    resumed: bool

    def __str__(self) -> str:
        """In words: `trial 3 (20x lamp, seed 0) resumed, run 0007`."""
        run = f", run {self.run}" if self.run else ""
        return f"{self.trial}{' resumed' * self.resumed}{run}"


@dataclass(frozen=True, slots=True)
class TrialLost(Event):
    """The worker of a trial is gone; the trial goes on with another."""

    trial: TrialLabel
    reason: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.trial}: lost its worker ({self.reason}); another one resumes it"


@dataclass(frozen=True, slots=True)
class TrialReported(Event):
    """An event of a trial."""

    trial: TrialLabel
    event: Event


@dataclass(frozen=True, slots=True)
class TrialOver(Event):
    """A trial is no longer in progress, however it ended."""

    trial: TrialLabel


class Notices:
    """Tells new notices from repeated ones: trials and workers have much in common to say."""

    def __init__(self) -> None:
        self._texts = set[str]()

    def is_news(self, event: Event) -> bool:
        """Whether an event is anything but a notice that came before, of this trial or another.

        A notice of a lost result always is.
        """
        said = event.event if isinstance(event, TrialReported) else event
        if not isinstance(said, Notice):
            return True
        is_new = said.lost or said.text not in self._texts
        self._texts.add(said.text)
        return is_new


def of_trial(trial: TrialLabel, event: Event) -> Event:
    """An event as one of a trial, unless it is already."""
    known = isinstance(event, TrialBegan | TrialLost | TrialReported)
    return event if known else TrialReported(trial, event)


def reported(trial: TrialLabel, stream: Stream[T]) -> Stream[T]:
    """Report the events of a stream as those of a trial, and that it is over."""

    def labelled(event: Event) -> Iterable[Event]:
        return (event if isinstance(event, Waiting) else of_trial(trial, event),)

    try:
        result = yield from relayed(stream, labelled)
    except Exception:
        yield TrialOver(trial)
        raise
    yield TrialOver(trial)
    return result


def in_turn(stream: Stream[T]) -> Stream[T]:
    """The events of a stream whose trials run one after the other, as if there were no workers."""
    whole = Portion(0.0, 1.0)

    def alone(event: Event) -> Iterator[Event]:
        nonlocal whole
        match event:
            case Portion():
                whole = event
                yield event
            case TrialReported(event=Portion() as part):
                yield whole.part(part)
            case TrialReported():
                yield event.event
            case TrialLost():
                yield Notice(str(event), warning=True)
            case TrialBegan() | TrialOver():
                pass
            case _:
                yield event

    return relayed(stream, alone)
