"""Search for the smallest net of a required accuracy: a bracket over the ratio, by fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import InputError, StoppedError, WorkError
from core.events import Event, Notice, StopFlag, Stream, never, portions, within
from core.nets.calls import NetError
from core.pruning.plans import Plan

if TYPE_CHECKING:
    from core.jobs.net import Net
    from core.training.finetuning import FineTuningResult

START, GROWTH = 30.0, 2.0
"""The first ratio, and the factor to the next while the bracket is open."""

PRECISION = 1.05
"""The bracket is narrow enough when its ends are within this factor."""

TRIALS = 10
"""Default maximum number of fine-tunings."""

LEAST = 1.05
"""Smallest ratio worth a trial, as a factor of the base's ratio."""

ROUNDING = 1e-9
"""Slack in points: 99.28 - 0.2 is slightly more than 99.08 in floating point."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """The largest ratio that passed and the smallest above it that failed.

    The first ratio is `start`, clamped between `floor` and `most`.
    """

    good: float | None = None
    bad: float | None = None
    floor: float = LEAST
    most: float = math.inf
    start: float = START

    def next(self) -> float | None:
        """The ratio to try next; None if the bracket is narrow enough."""
        good, bad = self.good, self.bad
        if good is None:
            if bad is None:
                return min(max(self.start, self.floor), self.most)
            lower = max(bad / GROWTH, self.floor)
            return lower if lower < bad else None
        if bad is None:
            upper = min(good * GROWTH, self.most)
            return upper if upper > good * PRECISION else None
        return math.sqrt(good * bad) if bad > good * PRECISION else None

    def learn(self, ratio: float, good: bool) -> Bracket:
        """The bracket after another trial; a later trial overrides a contradicting earlier one."""
        if good:
            bad = self.bad if self.bad is not None and self.bad > ratio else None
            return replace(self, good=max(ratio, self.good or 0.0), bad=bad)
        below = self.good if self.good is not None and self.good < ratio else None
        return replace(self, good=below, bad=min(ratio, self.bad or math.inf))


@dataclass(frozen=True, eq=False)
class Trial:
    """One trial of a search.

    Attributes:
        number: 1-based.
        ratio: the planned ratio.
        base: the net that was fine-tuned.
        good: whether the validation accuracy is high enough.
    """

    number: int
    ratio: float
    base: Net
    plan: Plan
    result: FineTuningResult
    good: bool


@dataclass(frozen=True, slots=True)
class TrialStarted(Event):
    """Trial `number`, from 1 to at most `trials`, starts; `good` and `bad` bracket the ratio.

    `least` is the required validation accuracy in percent.
    """

    number: int
    trials: int
    ratio: float
    least: float
    good: float | None
    bad: float | None


@dataclass(frozen=True, slots=True, eq=False)
class TrialFinished(Event):
    """A trial has finished."""

    trial: Trial


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The result of a search.

    Attributes:
        best: the smallest net that passed; None if none did.
        least: required validation accuracy in percent.
        error: what the net's own code raised, if that ended the search early; else empty.
    """

    best: Trial | None
    trials: tuple[Trial, ...]
    least: float
    stopped: bool
    error: str = ""


TrialOutcome = tuple["Net", Plan, "FineTuningResult"]
"""The base, the plan and the result of a trial."""


def search(
    attempt: Callable[[int, float, Trial | None], Stream[TrialOutcome]],
    *,
    least: float,
    floor: float = LEAST,
    most: float = math.inf,
    trials: int = TRIALS,
    start: float = START,
    stop: StopFlag = never,
) -> Stream[SearchResult]:
    """Find the smallest net whose validation accuracy is at least `least` percent.

    Each ratio is tried by a real fine-tuning: growing from `start` while trials pass, shrinking
    while they fail, then in between, always from `floor` to `most`, until the bracket is narrow or
    `trials` are done. When `stop` is raised, the current trial ends early without counting, and
    the results so far are returned.

    An error in the net's own code ends the search, too; the current trial counts if an epoch ended
    at the full plan before it.

    `attempt` plans and fine-tunes the trial of a number and a ratio, starting from the best trial
    so far if there is one; it checks the stop flag itself.

    Raises InputError if `trials` is below 1, or `start` is not above 1.
    """
    if trials < 1:
        raise InputError(f"{trials} trials: expected at least 1")
    if not (math.isfinite(start) and start > 1):
        raise InputError(f"a search starting at {start}x: expected a ratio above 1")
    bracket, results = Bracket(floor=min(floor, most), most=most, start=start), list[Trial]()
    stopped, failure = False, ""
    for number, portion in enumerate(portions(*[1] * trials), 1):
        if stopped or (ratio := bracket.next()) is None:
            break
        yield TrialStarted(number, trials, ratio, least, bracket.good, bracket.bad)
        try:
            trial = attempt(number, ratio, _lightest(results))
            base, plan, result = yield from within(portion, trial)
        except StoppedError:
            stopped = True
            break
        except NetError as error:
            failure = str(error)
            break
        except WorkError as error:
            yield Notice(f"trial {number} failed: {error}", warning=True)
            bracket = bracket.learn(ratio, False)
            continue
        stopped, failure = result.stopped or stop(), result.error
        if result.stopped and not (failure and result.best is not None):
            break
        good = result.accuracy.validation >= least - ROUNDING
        results.append(Trial(number, ratio, base, plan, result, good))
        bracket = bracket.learn(ratio, good)
        yield TrialFinished(results[-1])
    return SearchResult(_lightest(results), tuple(results), least, stopped, failure)


def _lightest(trials: Sequence[Trial]) -> Trial | None:
    good = [trial for trial in trials if trial.good]
    return max(good, key=lambda trial: trial.ratio, default=None)
