"""How far a descent's steps go, over nets of simulated accuracy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lightest.steps import GROWTH, MOST_EFFORT, PRECISION, START, Step, Steps

MOST = 500.0

limits, starts = st.floats(1.01, 900), st.floats(1.2, 200)


def walk(steps: Steps, passes: Callable[[Step], bool]) -> list[tuple[Step, bool]]:
    """Every step and whether it passed."""
    taken = []
    while (step := steps.next()) is not None:
        taken.append((step, passes(step)))
        steps = steps.learn(passed=taken[-1][1])
        assert len(taken) < 60
    return taken


@given(limits, starts)
def test_a_descent_closes_in_on_the_lightest_net(limit: float, start: float) -> None:
    taken = walk(Steps.begin(1.0, MOST, start), lambda step: step.ratio <= limit)
    best = max((step.ratio for step, passed in taken if passed), default=1.0)
    assert best <= limit
    assert best * PRECISION >= min(limit, MOST) / 1.0001
    assert all(1 < step.ratio <= MOST for step, _ in taken)


@given(limits, starts, st.floats(1.0, 400))
def test_no_step_is_as_heavy_as_what_there_is(limit: float, start: float, base: float) -> None:
    reached = base
    for step, passed in walk(Steps.begin(base, MOST, start), lambda step: step.ratio <= limit):
        assert reached < step.ratio <= MOST
        reached = step.ratio if passed else reached


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
        step = steps.next()
        assert step is not None
        assert step.effort == 1
        ratios.append(step.ratio)
        steps = steps.learn(passed=False)
    assert ratios == pytest.approx([START, START**0.5, START**0.25, GROWTH])


def test_a_step_is_made_smaller_and_only_a_small_one_gets_more_epochs() -> None:
    steps = Steps.begin(1.0, MOST).learn(passed=True)
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


@pytest.mark.parametrize(("base", "first"), [(1.0, 30.0), (20.0, 40.0), (36.88, 73.76), (320, 400)])
def test_a_descent_begins_well_below_its_base(base: float, first: float) -> None:
    assert Steps.begin(base, MOST).next() == Step(pytest.approx(first))


def test_with_nothing_left_to_prune_there_is_no_step() -> None:
    assert Steps.begin(MOST, MOST).next() is None
    assert Steps.begin(25.0, 20.0).next() is None
    assert Steps.begin(25.0, 20.0).learn(passed=True) == Steps.begin(25.0, 20.0)


@given(limits)
def test_the_effort_expected_falls_to_that_of_the_last_step(limit: float) -> None:
    steps = Steps.begin(1.0, MOST)
    while (step := steps.next()) is not None:
        assert steps.expected() >= step.effort
        steps = steps.learn(passed=step.ratio <= limit)
    assert steps.expected() == 0
