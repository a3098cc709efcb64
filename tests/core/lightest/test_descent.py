"""The stream that goes down in steps, with trials of simulated accuracy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StoppedError, WorkError
from core.events import Event, Notice, Portion, Stream
from core.lightest.descent import descend
from core.lightest.steps import PRECISION, Step, Steps
from core.lightest.trials import Descent, DescentStarted, Trial, TrialFinished
from core.nets.calls import NetError
from tests.core.training_loops import of_type, recorded

LEAST, MOST = 99.0, 500.0


def trial(
    number: int,
    step: Step,
    accuracy: float,
    *,
    error: str = "",
    stopped: bool = False,
    best: int | None = 1,
) -> Trial:
    result = SimpleNamespace(
        accuracy=SimpleNamespace(validation=accuracy), stopped=stopped, error=error, best=best
    )
    good = accuracy >= LEAST
    nothing: Any = None
    return Trial(
        number,
        step.ratio,
        5,
        nothing,
        nothing,
        {},
        result,
        good,
        1000 / step.ratio,
        good,  # type: ignore[arg-type]
    )


def descended(
    accuracy: Callable[[float], float], **options: Any
) -> tuple[Descent, list[Event], list[tuple[Step, Trial | None]]]:
    """A descent: its result, its events, and the step and base of each trial."""
    asked: list[tuple[Step, Trial | None]] = []

    def attempt(number: int, step: Step, best: Trial | None) -> Stream[Trial]:
        asked.append((step, best))
        yield from ()
        return trial(number, step, accuracy(step.ratio))

    found, events = recorded(down(attempt, **options))
    return found, events, asked


def down(attempt: Any, start: float = 30.0, places: int = 1, **options: Any) -> Stream[Descent]:
    steps = Steps.begin(1.0, MOST, start, places)
    return descend(attempt, steps, by="parameters", least=LEAST, **options)


def up_to(limit: float) -> Callable[[float], float]:
    return lambda ratio: 99.5 if ratio <= limit else 98.5


@given(st.floats(1.1, 900), st.floats(1.2, 200), st.integers(1, 3))
def test_a_descent_tells_of_every_trial_and_finds_the_lightest(
    limit: float, start: float, places: int
) -> None:
    found, events, asked = descended(up_to(limit), start=start, places=places)
    assert found.complete
    assert [event.trial for event in of_type(TrialFinished, events)] == list(found.trials)
    assert [each.number for each in found.trials] == list(range(1, len(asked) + 1))
    assert events[0] == DescentStarted(0, "parameters", LEAST)
    if found.best is None:
        assert limit < 1.2
    else:
        assert found.best.ratio <= limit
        assert found.best.ratio * PRECISION >= min(limit, MOST) / 1.0001


@given(st.floats(1.1, 900))
def test_the_portions_of_a_descent_follow_one_another(limit: float) -> None:
    _, events, asked = descended(up_to(limit))
    parts = of_type(Portion, events)
    assert len(parts) == len(asked)
    assert parts[0].start == 0.0
    assert all(part.start < part.end < 1.0 for part in parts)
    assert all(one.end == other.start for one, other in pairwise(parts))


def test_a_trial_goes_on_from_the_lightest_that_passed() -> None:
    found, _, asked = descended(up_to(50.0))
    assert asked[0][1] is None
    for at, (_, start) in enumerate(asked):
        passed = [each for each in found.trials[:at] if each.passed]
        assert start is max(passed, key=lambda each: each.ratio, default=None)


@pytest.mark.parametrize("how", ["in a trial", "with a half-made net"])
def test_a_stopped_descent_gives_the_trials_so_far(how: str) -> None:
    def attempt(number: int, step: Step, _: Trial | None) -> Stream[Trial]:
        yield from ()
        if number == 3 and how == "in a trial":
            raise StoppedError("stopped")
        return trial(number, step, up_to(50)(step.ratio), stopped=number == 3)

    found, _ = recorded(down(attempt))
    assert not found.complete
    assert len(found.trials) == 2
    assert found.best is found.trials[0]


def test_a_descent_stopped_between_trials_keeps_the_last_one() -> None:
    calls = iter([False, True])
    found, _, asked = descended(up_to(50.0), stop=lambda: next(calls))
    assert (found.complete, len(found.trials), len(asked)) == (False, 1, 1)


def test_a_trial_that_diverges_has_failed() -> None:
    def attempt(number: int, step: Step, _: Trial | None) -> Stream[Trial]:
        yield from ()
        if step.ratio > 50:
            raise WorkError("fine-tuning diverged")
        return trial(number, step, 99.5)

    found, events = recorded(down(attempt))
    assert found.best is not None
    assert 50 / PRECISION < found.best.ratio <= 50
    assert all(event.warning for event in of_type(Notice, events))
    assert len(of_type(Notice, events)) + len(found.trials) >= found.trials[-1].number


@pytest.mark.parametrize("how", ["at once", "late"])
@pytest.mark.parametrize(("accuracy", "best"), [(99.5, 3), (50.0, 3), (99.5, None)])
def test_a_trial_that_an_error_ends_counts_if_an_epoch_ended_at_the_full_plan(
    accuracy: float, best: int | None, how: str
) -> None:
    def attempt(number: int, step: Step, _: Trial | None) -> Stream[Trial]:
        yield from ()
        if number == 2 and how == "at once":
            raise NetError("out of luck")
        late = {"stopped": True, "error": "out of luck", "best": best} if number == 2 else {}
        return trial(number, step, accuracy, **late)

    found, events = recorded(down(attempt))
    counts = 1 if best is None or how == "at once" else 2
    assert (found.error, found.complete) == ("out of luck", False)
    assert [event.trial for event in of_type(TrialFinished, events)] == list(found.trials)
    assert [each.passed for each in found.trials] == [accuracy > LEAST] * counts
