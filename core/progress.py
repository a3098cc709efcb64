"""How much of a whole operation is done, and how long the rest will take."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.events import Batch, Event, Portion, Progress

SOON = 1.0
"""Seconds of work after which the pace is known well enough to tell the time left."""

ROUNDING = 1e-9
"""Portions that are computed differently may differ by this much where they meet."""


@dataclass(frozen=True, slots=True)
class Meter:
    """The progress of an operation over all of its portions, see `core.events.Portion`.

    One that announces no portions has one for each of its steps.

    Attributes:
        done: the finished fraction, which never falls; None while it is unknown.
        portion: the portion in progress.
        at: the finished fraction of it.
        trains: whether batches have said how much of it is done.
        step: the step in progress.
        work: what was done since `began`, at an even pace.
        seen: when the last event came.
        ending: whether it is being stopped.
        start: where it was when it was stopped; None until the portion after that begins.
    """

    done: float | None = None
    portion: Portion | None = None
    at: float = 0.0
    trains: bool = False
    step: str = ""
    work: float = 0.0
    began: float = 0.0
    seen: float = 0.0
    ending: bool = False
    start: float | None = None

    def after(self, event: Event, now: float) -> Meter:
        """With one more event."""
        match event:
            case Portion():
                return self._enter(event, now)
            case Batch():
                images = (event.epoch - 1) * event.images + event.seen
                return self._advance(images / (event.epochs * event.images), now, trains=True)
            case Progress() if self.portion is None and event.step != self.step:
                step = replace(self, step=event.step, done=None, at=0.0, work=0.0, began=now)
                return step.after(event, now)
            case Progress() if event.total and not self.trains:
                return self._advance(event.done / event.total, now)
            case _:
                return self

    def stop(self) -> Meter:
        """For an early end: the rest of the portion in progress no longer matters."""
        return Meter(portion=self.portion, ending=True)

    def left(self, now: float) -> float | None:
        """The seconds left at the pace so far; None if unknown."""
        if not self.done or not self.work or self.seen - self.began < SOON:
            return None
        start = self.start or 0.0
        rest = (1 - start) * (1 - self.done) * (self.seen - self.began) / self.work
        return rest - (now - self.seen) if rest > now - self.seen else None

    def _enter(self, portion: Portion, now: float) -> Meter:
        """At the beginning of a portion; the pace of short ones says nothing about a long one.

        A portion before the last one begins another operation.
        """
        start = portion.start if self.ending and self.start is None else self.start
        begins = self.portion is None or portion.start < self.portion.start - ROUNDING
        done = None if begins else self.done
        entered = replace(
            self, done=done, portion=portion, at=0.0, trains=False, seen=now, start=start
        )
        entered = replace(entered, done=entered._at(portion.start))
        known = not begins and portion.end - portion.start <= self.work
        return entered if known else replace(entered, work=0.0, began=now)

    def _advance(self, at: float, now: float, trains: bool = False) -> Meter:
        """At this fraction of the portion."""
        whole = self.portion or Portion(0.0, 1.0)
        if self.ending and self.start is None:
            return self
        # A training that is resumed begins in the middle.
        gained = max(0.0, at - self.at) if self.trains or not trains else 0.0
        work = self.work + gained * (whole.end - whole.start)
        done = self._at(whole.start + at * (whole.end - whole.start))
        at = max(at, self.at)
        return replace(self, done=done, at=at, trains=trains, work=work, seen=now)

    def _at(self, place: float) -> float:
        """The finished fraction at this place of the whole."""
        start = self.start or 0.0
        return max(self.done or 0.0, (place - start) / (1 - start) if start < 1 else 0.0)
