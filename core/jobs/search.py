"""The lightest net within an accuracy: a bracket over the ratio, tried by real fine-tunings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import InputError, StoppedError, WorkError
from core.events import Event, Notice, StopFlag, Stream, never
from core.pruning.plans import Plan

if TYPE_CHECKING:
    from core.jobs.workbench import Net
    from core.training.finetuning import FineTuned

START, GROWTH = 30.0, 2.0
"""The ratio tried first, and the factor to the next one while only one side is known."""

PRECISION = 1.05
"""The bracket is narrow enough when its ends are so close, as a factor."""

TRIALS = 10
"""Fine-tunings, unless told otherwise."""

LEAST = 1.05
"""Ratios below that, as a factor to what the base has already, are not worth a trial."""

ROUNDING = 1e-9
"""Points: 99.28 - 0.2 is a little more than 99.08 in floating point."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """What is known of the ratio: up to where it is good, and from where on it is not.

    Attributes:
        good: the largest ratio that was good enough; None where none was.
        bad: the smallest one above it that was not.
        floor: the smallest ratio that is worth a trial.
        most: the largest ratio that there is, not below the floor.
        start: the ratio tried first, held between the two.
    """

    good: float | None = None
    bad: float | None = None
    floor: float = LEAST
    most: float = math.inf
    start: float = START

    def next(self) -> float | None:
        """The ratio to try next; None where the bracket is narrow enough."""
        match self.good, self.bad:
            case None, None:
                return min(max(self.start, self.floor), self.most)
            case None, bad if bad is not None:
                lower = max(bad / GROWTH, self.floor)
                return lower if lower < bad else None
            case good, None if good is not None:
                upper = min(good * GROWTH, self.most)
                return upper if upper > good * PRECISION else None
            case good, bad if good is not None and bad is not None:
                return math.sqrt(good * bad) if bad > good * PRECISION else None
        return None

    def learn(self, ratio: float, good: bool) -> Bracket:
        """With one more ratio tried; what contradicts an earlier trial is settled by the later."""
        if good:
            bad = self.bad if self.bad is not None and self.bad > ratio else None
            return replace(self, good=max(ratio, self.good or 0.0), bad=bad)
        below = self.good if self.good is not None and self.good < ratio else None
        return replace(self, good=below, bad=min(ratio, self.bad or math.inf))


@dataclass(frozen=True, eq=False)
class Trial:
    """One net that was tried.

    Attributes:
        number: 1-based.
        asked: the ratio that it was planned for.
        base: that it was fine-tuned from.
        good: its validation accuracy is within the goal.
    """

    number: int
    asked: float
    base: Net
    plan: Plan
    result: FineTuned
    good: bool


@dataclass(frozen=True, slots=True)
class Trying(Event):
    """A trial begins.

    Attributes:
        number: 1-based, of at most `trials`.
        ratio: that it is planned for.
        least: validation accuracy in percent that it has to reach.
        good, bad: the bracket so far.
    """

    number: int
    trials: int
    ratio: float
    least: float
    good: float | None
    bad: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Tried(Event):
    """A trial is done."""

    trial: Trial

    @property
    def text(self) -> str:
        """What came of it, in a few words."""
        accuracy, verdict = self.trial.result.accuracy, "good" if self.trial.good else "too low"
        return f"{self.trial.asked:.1f}x: {accuracy.validation:.2f} % on validation, {verdict}"


@dataclass(frozen=True, eq=False)
class Found:
    """What a search came to.

    Attributes:
        best: the lightest trial that was good; None where none was.
        least: validation accuracy in percent that was to be reached.
        stopped: it was stopped early.
    """

    best: Trial | None
    trials: tuple[Trial, ...]
    least: float
    stopped: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a trial is to be.

    Attributes:
        number: 1-based.
        ratio: to plan for.
        from_trial: the best trial so far, to go on from; None where there is no good one yet.
    """

    number: int
    ratio: float
    from_trial: Trial | None


Made = tuple["Net", Plan, "FineTuned"]
"""The base, the plan and the result of a trial."""


def search(
    attempt: Callable[[Attempt], Stream[Made]],
    *,
    least: float,
    floor: float = LEAST,
    most: float = math.inf,
    trials: int = TRIALS,
    start: float = START,
    stop: StopFlag = never,
) -> Stream[Found]:
    """Find the lightest net whose validation accuracy is at least `least`.

    Ratios are tried by real fine-tunings: growing while they are good, shrinking while they are
    not, and then between the two, until the bracket is narrow or the trials are used up. When
    `stop` is raised the trial that runs ends early, counts for nothing, and what there is, is
    given.

    Args:
        attempt: plans and fine-tunes a trial.
        least: in percent.
        floor: the smallest ratio to plan for.
        most: the largest one.
        trials: at most so many.
        start: the ratio to try first, held between those two.
        stop: asked between trials; `attempt` looks at it itself.

    Raises:
        InputError: the number of trials is not at least 1, or `start` not above 1.
    """
    if trials < 1:
        raise InputError(f"{trials} trials: expected at least 1")
    if not (math.isfinite(start) and start > 1):
        raise InputError(f"a search that starts from {start}x: expected a ratio above 1")
    bracket, done = Bracket(floor=min(floor, most), most=most, start=start), list[Trial]()
    stopped, failed = False, 0
    while len(done) + failed < trials and (ratio := bracket.next()) is not None and not stopped:
        number = len(done) + failed + 1
        yield Trying(number, trials, ratio, least, bracket.good, bracket.bad)
        try:
            base, plan, result = yield from attempt(Attempt(number, ratio, _lightest(done)))
        except StoppedError:
            stopped = True
            break
        except WorkError as error:
            yield Notice(f"trial {number} came to nothing: {error}", warning=True)
            bracket = bracket.learn(ratio, False)
            failed += 1
            continue
        stopped = result.stopped or stop()
        if result.stopped:
            break
        good = result.accuracy.validation >= least - ROUNDING
        trial = Trial(number, ratio, base, plan, result, good)
        done.append(trial)
        bracket = bracket.learn(ratio, trial.good)
        yield Tried(trial)
    return Found(_lightest(done), tuple(done), least, stopped)


def _lightest(trials: Sequence[Trial]) -> Trial | None:
    good = [trial for trial in trials if trial.good]
    return max(good, key=lambda trial: trial.asked, default=None)
