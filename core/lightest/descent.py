"""The stream that goes down in steps, with any kind of trial."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import StoppedError, WorkError
from core.events import Notice, Portion, StopFlag, Stream, never, within
from core.lightest.steps import Step, Steps
from core.lightest.trials import By, Descent, DescentStarted, Trial, TrialFinished, cheapest
from core.nets.calls import NetError

Attempt = Callable[[int, Step, Trial | None], Stream[Trial]]


def descend(
    attempt: Attempt, steps: Steps, *, by: By, least: float, seed: int = 0, stop: StopFlag = never
) -> Stream[Descent]:
    """Go down in steps for as long as nets pass, see `core.lightest.steps`.

    `attempt` makes the trial of a number and a step, starting from the best trial so far if there
    is one; it says when it starts, and checks the stop flag itself. When `stop` is raised, the
    current trial ends early without counting, and what was found so far is returned.

    A trial that diverges has failed. An error in the net's own code ends the descent; the current
    trial counts if an epoch ended at the full plan before it.

    The time left is an estimate: that of every other step passing.
    """
    yield DescentStarted(seed, by, least)
    trials, done, number = list[Trial](), 0.0, 0
    while (step := steps.next()) is not None:
        if stop():
            return Descent(seed, least, tuple(trials), complete=False)
        number += 1
        end = done + (1 - done) * step.effort / (steps.expected() + 1)  # the last may pass, too
        passed = False
        try:
            stream = attempt(number, step, cheapest(trials))
            trial = yield from within(Portion(done, end), stream)
        except StoppedError:
            return Descent(seed, least, tuple(trials), complete=False)
        except NetError as error:
            return Descent(seed, least, tuple(trials), complete=False, error=str(error))
        except WorkError as error:
            yield Notice(f"trial {number} failed: {error}", warning=True)
        else:
            result = trial.result
            if not result.stopped or (result.error and result.best is not None):
                trials.append(trial)
                yield TrialFinished(trial, by)
            if result.stopped:
                return Descent(seed, least, tuple(trials), complete=False, error=result.error)
            passed = trial.passed
        steps, done = steps.learn(passed=passed), end
    return Descent(seed, least, tuple(trials))
