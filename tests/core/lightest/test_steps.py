"""How far a descent's steps go, over nets of simulated accuracy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lightest.steps import GROWTH, MOST_EFFORT, PRECISION, START, Step, Steps

MOST = 500.0

limits, starts, places = st.floats(1.01, 900), st.floats(1.2, 200), st.integers(1, 8)


def walk(steps: Steps, passes: Callable[[Step], bool]) -> list[tuple[Step, bool]]:
    """Every step and whether it passed."""
    taken: list[tuple[Step, bool]] = []
    while bracket := steps.next():
        tried = [(step, passes(step)) for step in bracket]
        steps = steps.learn(max((step.ratio for step, passed in tried if passed), default=None))
        taken += tried
        assert len(taken) < 60 * steps.places
    return taken


@given(limits, starts, places)
def test_a_descent_closes_in_on_the_lightest_net(limit: float, start: float, at_once: int) -> None:
    steps = Steps.begin(1.0, MOST, start, at_once)
    taken = walk(steps, lambda step: step.ratio <= limit)
    best = max((step.ratio for step, passed in taken if passed), default=1.0)
    assert best <= limit
    assert best * PRECISION >= min(limit, MOST) / 1.0001
    assert all(1 < step.ratio <= MOST for step, _ in taken)


@given(limits, starts, st.floats(1.0, 400), places)
def test_no_step_is_as_heavy_as_what_there_is(
    limit: float, start: float, base: float, at_once: int
) -> None:
    steps = Steps.begin(base, MOST, start, at_once)
    while bracket := steps.next():
        ratios = [step.ratio for step in bracket]
        assert len(bracket) <= at_once
        assert all(one < other for one, other in pairwise([steps.ratio, *ratios]))
        assert ratios[-1] <= MOST
        steps = steps.learn(max((ratio for ratio in ratios if ratio <= limit), default=None))


@given(st.data())
def test_epochs_never_go_down_again_and_every_failure_changes_something(
    data: st.DataObject,
) -> None:
    taken = walk(Steps.begin(1.0, MOST), lambda _: data.draw(st.booleans()))
    efforts = [step.effort for step, _ in taken]
    assert efforts == sorted(efforts)
    assert set(efforts) <= {1, 2, MOST_EFFORT}
    for (one, passed), (other, _) in pairwise(taken):
        assert passed or other.ratio < one.ratio or other.effort > one.effort


def test_a_first_step_is_far_and_made_smaller_until_it_passes() -> None:
    steps = Steps.begin(1.0, MOST)
    ratios = []
    for _ in range(4):
        (step,) = steps.next()
        assert step.effort == 1
        ratios.append(step.ratio)
        steps = steps.learn(None)
    assert ratios == pytest.approx([START, START**0.5, START**0.25, GROWTH])


def test_a_step_is_made_smaller_and_only_a_small_one_gets_more_epochs() -> None:
    steps = Steps.begin(1.0, MOST).learn(START)
    failing = walk(steps, lambda _: False)
    assert [(step.ratio / START, step.effort) for step, _ in failing[:6]] == [
        (2.0, 1),
        (pytest.approx(2**0.5), 1),
        (pytest.approx(2**0.25), 1),
        (pytest.approx(2**0.25), 2),
        (pytest.approx(2**0.25), 4),
        (pytest.approx(2**0.125), 4),
    ]
    smallest = failing[-1][0].ratio / START
    assert smallest <= PRECISION < smallest**2


@pytest.mark.parametrize(
    ("at_once", "first", "later"),
    [(2, [5.5, 30.0], [42.4, 60.0]), (4, [2.3, 5.5, 12.8, 30.0], [37.8, 47.6, 60.0, 75.6])],
)
def test_places_try_ratios_around_that_of_a_single_step(
    at_once: int, first: list[float], later: list[float]
) -> None:
    steps = Steps.begin(1.0, MOST, places=at_once)
    assert [round(step.ratio, 1) for step in steps.next()] == first
    steps = steps.learn(30.0)
    assert [round(step.ratio, 1) for step in steps.next()] == later
    failed = steps.learn(None).next()
    assert failed[-1].ratio < steps.next()[0].ratio


@pytest.mark.parametrize(("base", "first"), [(1.0, 30.0), (20.0, 40.0), (36.88, 73.76), (320, 400)])
def test_a_descent_begins_well_below_its_base(base: float, first: float) -> None:
    assert Steps.begin(base, MOST).next() == (Step(pytest.approx(first)),)


def test_with_nothing_left_to_prune_there_is_no_step() -> None:
    assert Steps.begin(MOST, MOST).next() == ()
    assert Steps.begin(25.0, 20.0).next() == ()
    assert Steps.begin(25.0, 20.0).learn(30.0) == Steps.begin(25.0, 20.0)


@given(limits)
def test_the_effort_expected_falls_to_that_of_the_last_step(limit: float) -> None:
    steps = Steps.begin(1.0, MOST)
    while bracket := steps.next():
        (step,) = bracket
        assert steps.expected() >= step.effort
        steps = steps.learn(step.ratio if step.ratio <= limit else None)
    assert steps.expected() == 0
