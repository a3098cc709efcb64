"""The stream that goes down in steps, with any kind of trial."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import StoppedError, WorkError
from core.events import Notice, Portion, StopFlag, Stream, never, within
from core.executors.side_by_side import side_by_side
from core.lightest.steps import Step, Steps
from core.lightest.trials import By, Descent, DescentStarted, Trial, TrialFinished, cheapest
from core.nets.calls import NetError

Attempt = Callable[[int, Step, Trial | None], Stream[Trial]]


def descend(
    attempt: Attempt, steps: Steps, *, by: By, least: float, seed: int = 0, stop: StopFlag = never
) -> Stream[Descent]:
    """Go down in steps for as long as nets pass, see `core.lightest.steps`.

    `attempt` makes the trial of a number and a step, starting from the best trial so far if there
    is one; it says when it starts, and checks the stop flag itself. When `stop` is raised, trials
    in progress end without counting, and what was found so far is returned.

    A trial that diverges has failed. An error in the net's own code ends the descent; its trial
    counts if an epoch ended at the full plan before it.

    The time left is an estimate: that of every other step passing.
    """
    yield DescentStarted(seed, by, least)
    found, done, begun = list[Trial](), 0.0, 0

    def ended(error: str = "", *, complete: bool = False) -> Descent:
        in_order = sorted(found, key=lambda trial: trial.number)
        return Descent(seed, least, tuple(in_order), complete, error)

    while bracket := steps.next():
        if stop():
            return ended()
        end = done + (1 - done) * bracket[0].effort / (steps.expected() + 1)  # all may pass, too
        best, numbers = cheapest(found), range(begun + 1, begun + 1 + len(bracket))
        made = [
            _tried(attempt(number, step, best), number, seed, by, found)
            for number, step in zip(numbers, bracket, strict=True)
        ]
        try:
            trials = yield from within(Portion(done, end), side_by_side(made))
        except StoppedError:
            return ended()
        except NetError as error:
            return ended(str(error))
        if early := [trial.result for trial in trials if trial and trial.result.stopped]:
            return ended(early[0].error)
        passed = cheapest([trial for trial in trials if trial])
        steps = steps.learn(passed.ratio if passed else None)
        begun, done = numbers[-1], end
    return ended(complete=True)


def _tried(
    trying: Stream[Trial], number: int, seed: int, by: By, found: list[Trial]
) -> Stream[Trial | None]:
    """Make a trial and add it to those that were found, if it counts; None if it diverges."""
    try:
        trial = yield from trying
    except (StoppedError, NetError):
        raise
    except WorkError as error:
        yield Notice(f"trial {number} of seed {seed} failed: {error}", warning=True)
        return None
    result = trial.result
    if not result.stopped or (result.error and result.best is not None):
        found.append(trial)
        yield TrialFinished(trial, by)
    return trial
