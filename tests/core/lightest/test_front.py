"""The front over seeds."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Accuracy
from core.lightest.front import front
from core.lightest.trials import Descent, Lightest, Trial

LEAST, DROP = 99.0, 0.4

nets = st.lists(st.tuples(st.floats(98, 99.8), st.integers(1, 9_000)), max_size=8)


def descent(found: list[tuple[float, int]], seed: int = 0) -> Descent:
    nothing: Any = None
    trials = []
    for number, (accuracy, cost) in enumerate(found, 1):
        result: Any = SimpleNamespace(accuracy=Accuracy(accuracy, accuracy + 0.1))
        good = accuracy >= LEAST
        trials.append(Trial(number, 2.0, 5, nothing, nothing, {}, result, good, float(cost), good))
    return Descent(seed, LEAST, tuple(trials))


def lightest(*found: list[tuple[float, int]]) -> Lightest:
    descents = tuple(descent(each, seed) for seed, each in enumerate(found))
    return Lightest("parameters", DROP, tuple(range(len(found))), descents, False)


@given(st.lists(nets, min_size=1, max_size=3))
def test_a_larger_drop_allows_lighter_nets_only(found: list[list[tuple[float, int]]]) -> None:
    rows = front(lightest(*found))
    for one, other in pairwise(rows):
        assert one.drop < other.drop
        assert other.cost.mean < one.cost.mean
        assert other.cost.high <= one.cost.high
    for row in rows:
        least = LEAST + DROP - row.drop
        for seed in found:
            assert min(cost for accuracy, cost in seed if accuracy >= least - 1e-9) >= row.cost.low
        assert row.validation.low >= least - 1e-9
    if all(any(accuracy >= LEAST for accuracy, _ in seed) for seed in found):
        assert rows


def test_the_front_is_the_mean_and_range_over_seeds() -> None:
    found = lightest([(99.3, 900), (99.0, 500)], [(99.4, 700), (99.1, 300), (98.9, 100)])
    rows = front(found)
    assert [(row.drop, row.cost.mean, row.cost.low, row.cost.high) for row in rows] == [
        (0.1, 800.0, 700.0, 900.0),
        (0.30000000000000004, 600.0, 300.0, 900.0),
        (0.4, 400.0, 300.0, 500.0),
    ]
    assert rows[-1].test.mean == pytest.approx(99.15)
    assert found.best is found.descents[1].trials[1]
