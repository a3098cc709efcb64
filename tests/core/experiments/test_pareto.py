"""The Pareto front."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.experiments.pareto import front

Points = list[tuple[float, float]]

# Few values, so that equal ratios, equal accuracies and equal points are common.
few = st.integers(0, 5).map(float)
points = st.one_of(
    st.lists(st.tuples(few, few), max_size=12),
    st.lists(st.tuples(st.floats(), st.floats()), max_size=12),
)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1]


def test_the_front_of_known_points() -> None:
    assert front([]) == ()
    assert front([(1, 99.2)]) == (0,)
    assert front([(1, 99.2), (37, 99.3), (12, 99.3), (100, 98.6)]) == (1, 3)
    assert front([(37, 99.3), (12, 99.4), (37, 99.1), (12, 99.4)]) == (1, 0)


def test_nan_is_never_on_the_front() -> None:
    assert front([(math.nan, 99.0), (2, math.nan), (3, 90)]) == (2,)
    assert front([(math.inf, 11.0), (3, 90)]) == (1, 0)


@given(points)
def test_no_point_dominates_one_on_the_front(points: Points) -> None:
    for index in front(points):
        assert not any(beats(other, points[index]) for other in points)


@given(points)
def test_points_off_the_front_are_dominated_or_repeated(points: Points) -> None:
    kept = front(points)
    for index, point in enumerate(points):
        if index not in kept and not any(map(math.isnan, point)):
            assert any(
                beats(points[at], point) or (points[at] == point and at < index) for at in kept
            )


@given(points)
def test_along_the_front_the_ratio_rises_and_the_accuracy_falls(points: Points) -> None:
    kept = [points[index] for index in front(points)]
    for before, after in pairwise(kept):
        assert before[0] < after[0]
        assert before[1] > after[1]
