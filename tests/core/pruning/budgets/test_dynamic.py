"""Dynamic programming against exhaustive search, and its guarantees."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pruning.budgets.costs import LayerCosts
from core.pruning.budgets.dynamic import Curve, least_drop
from core.pruning.scores import SensitivityRanking

ELEMENTS = 40


@st.composite
def curves(draw: st.DrawFn, whole: bool) -> Curve:
    """A few choices of a layer of 40 weights, which cost whole numbers if `whole`."""
    kept = sorted(draw(st.sets(st.integers(1, ELEMENTS), min_size=1, max_size=3)) | {0})
    price = st.integers(0, 50) if whole else st.floats(0, 50)
    costs = sorted(draw(st.lists(price, min_size=len(kept), max_size=len(kept))))
    drops = sorted(draw(st.lists(st.floats(0, 90), min_size=len(kept), max_size=len(kept))))
    return Curve(LayerCosts(tuple(kept), tuple(costs)), np.array(kept), np.array(drops[::-1]))


def spent(nets: list[Curve], kept: list[int]) -> float:
    return sum(curve.costs.at(count) for curve, count in zip(nets, kept, strict=True))


def lost(nets: list[Curve], kept: list[int]) -> float:
    return sum(curve.drop(count) for curve, count in zip(nets, kept, strict=True))


def exhaustive(nets: list[Curve], budget: float) -> float:
    """The least total drop of all combinations within a budget; infinite if none is."""
    combinations = product(*(curve.kept.tolist() for curve in nets))
    return min(
        (lost(nets, list(kept)) for kept in combinations if spent(nets, list(kept)) <= budget),
        default=math.inf,
    )


@given(st.lists(curves(whole=True), min_size=1, max_size=5), st.integers(0, 250))
@settings(max_examples=60)
def test_whole_costs_are_as_good_as_exhaustive_search(nets: list[Curve], room: int) -> None:
    budget = spent(nets, [0] * len(nets)) + room
    kept = least_drop(nets, budget)
    assert spent(nets, kept) <= budget
    assert lost(nets, kept) <= exhaustive(nets, budget) + 1e-9


@given(st.lists(curves(whole=False), min_size=1, max_size=5), st.floats(0, 250))
@settings(max_examples=60)
def test_rounding_costs_no_more_than_a_bucket_for_each_layer(
    nets: list[Curve], room: float
) -> None:
    buckets = 100
    empty = spent(nets, [0] * len(nets))
    kept = least_drop(nets, empty + room, buckets)
    assert spent(nets, kept) <= (empty + room) * (1 + 1e-12)
    smaller = empty + room * (1 - len(nets) / buckets)
    assert lost(nets, kept) <= exhaustive(nets, smaller - 1e-9) + 1e-9


def test_the_budget_goes_where_a_weight_mends_most_for_its_cost() -> None:
    sparsities, drops = np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 80.0])
    ranking = SensitivityRanking(1_000, 1_000, sparsities, drops)
    dear, cheap = (Curve.of(ranking, LayerCosts.per_weight(1_000, cost)) for cost in (9, 1))
    assert least_drop([dear, cheap], 500 * 9 + 1_000) == [500, 1_000]
    assert least_drop([dear, cheap], 500 * 9 + 500) == [500, 500]


def test_fifty_layers_are_within_the_budget_to_one_weight() -> None:
    random, layers = np.random.default_rng(0), []
    sparsities = np.append(np.arange(0, 1, 0.05), 1.0)
    for elements in random.integers(1_000, 2_000_000, 50).tolist():
        drops = np.sort(random.exponential(1, sparsities.size)).cumsum()
        ranking = SensitivityRanking(elements, elements, sparsities, drops - drops[0])
        uses = int(random.integers(1, 3_000))
        layers.append(Curve.of(ranking, LayerCosts.per_weight(elements, uses)))
    dense = spent(layers, [curve.kept[-1] for curve in layers])
    kept = least_drop(layers, 0.1 * dense)
    assert 0.999_999 * 0.1 * dense < spent(layers, kept) <= 0.1 * dense
