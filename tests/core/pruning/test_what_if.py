"""A what-if equals pruning the tensor."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from core.nets.layers import Layer
from core.pruning.thresholds import pruned_by, threshold
from core.pruning.what_if import Profile

Floats = npt.NDArray[np.float32]

BIAS = 3
TIES = st.sampled_from([0.0, -0.0, 0.25, -0.25, 1.0, -1.0])
SHAPES = npst.array_shapes(min_dims=1, max_dims=3, max_side=6)
MIXED = npst.arrays(np.float32, SHAPES, elements=TIES | st.floats(-(2**100), 2**100, width=32))
WEIGHTS = MIXED | MIXED.map(np.abs) | MIXED.map(lambda weight: -np.abs(weight))
SPARSITIES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


def profile_of(weight: Floats) -> Profile:
    layer = Layer("it", weight.shape, weight.size, weight.size + BIAS)
    return Profile.of(layer, weight)


def assert_what_if_equals_pruning(weight: Floats, sparsity: float) -> None:
    cut = profile_of(weight).what_if(sparsity)
    tensor = torch.from_numpy(weight)
    assert cut.threshold == threshold(tensor, sparsity)
    kept = int((~pruned_by(tensor, cut.threshold)).sum())
    assert cut.kept == kept


@given(WEIGHTS, SPARSITIES)
def test_a_what_if_equals_pruning(weight: Floats, sparsity: float) -> None:
    assert_what_if_equals_pruning(weight, sparsity)


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 2, 1]), SPARSITIES)
def test_a_what_if_of_many_weights_equals_pruning(
    seed: int, decimals: int | None, sparsity: float
) -> None:
    weight = np.random.default_rng(seed).normal(0.1, size=(30, 40)).astype(np.float32)
    if decimals is not None:
        weight = weight.round(decimals)
    assert_what_if_equals_pruning(weight, sparsity)


@pytest.mark.parametrize("sparsity", [0.0, 0.013, 0.5, 0.77, 0.96, 1.0])
@pytest.mark.parametrize("decimals", [None, 1])
def test_a_what_if_of_a_large_layer_equals_pruning(sparsity: float, decimals: int | None) -> None:
    weight = np.random.default_rng(0).normal(0.1, size=(500, 613)).astype(np.float32)
    assert_what_if_equals_pruning(weight if decimals is None else weight.round(decimals), sparsity)


@given(WEIGHTS, SPARSITIES)
def test_the_footprint_counts_the_bias_before_and_after(weight: Floats, sparsity: float) -> None:
    profile = profile_of(weight)
    cut = profile.what_if(sparsity)
    footprint = profile.footprint(cut)
    assert footprint.parameters == weight.size + BIAS
    assert footprint.nonzero == cut.kept + BIAS


@given(WEIGHTS, SPARSITIES, st.integers(1, 40))
def test_histogram_counts_add_up_to_the_weights(weight: Floats, sparsity: float, bins: int) -> None:
    profile = profile_of(weight)
    cut = profile.what_if(sparsity)
    histogram = profile.histogram(cut, bins)
    survivors = np.abs(weight) > np.float32(cut.threshold)
    assert histogram.before.shape == histogram.after.shape == (bins,)
    assert histogram.before.sum() == np.count_nonzero(weight)
    assert histogram.after.sum() == np.count_nonzero(survivors)
    if round(sparsity * weight.size):
        assert histogram.after.sum() == cut.kept
    assert np.all(histogram.after >= 0)
    assert np.all(histogram.after <= histogram.before)


@given(WEIGHTS, SPARSITIES, st.integers(1, 40))
def test_histogram_equals_numpys_except_for_ties_with_an_edge(
    weight: Floats, sparsity: float, bins: int
) -> None:
    profile = profile_of(weight)
    cut = profile.what_if(sparsity)
    histogram = profile.histogram(cut, bins)
    edges = histogram.edges
    assert len(edges) == bins + 1
    assert (edges[0], edges[-1]) == (
        (-profile.largest, profile.largest) if weight.any() else (-1, 1)
    )
    for counts, chosen in (
        (histogram.before, weight[weight != 0]),
        (histogram.after, weight[(weight != 0) & (np.abs(weight) > np.float32(cut.threshold))]),
    ):
        expected = np.histogram(chosen.astype(np.float64), bins=edges)[0]
        away = np.abs(np.cumsum(counts - expected))[:-1]
        at_edge = chosen.astype(np.float32)[:, None] == edges[1:-1].astype(np.float32)
        assert np.all(away <= at_edge.sum(0))


@given(WEIGHTS)
def test_the_floor_is_the_share_of_zeros(weight: Floats) -> None:
    profile = profile_of(weight)
    zeros = weight.size - np.count_nonzero(weight)
    assert profile.floor == zeros / weight.size
    assert round(profile.floor * weight.size) == zeros
    if zeros:
        assert profile.what_if(profile.floor).kept == weight.size - zeros


@given(WEIGHTS)
def test_a_profile_is_a_copy_no_larger_than_the_weights(weight: Floats) -> None:
    profile = profile_of(weight)
    sides = (profile.negative, profile.positive)
    assert sum(side.nbytes for side in sides) <= weight.nbytes
    for side in sides:
        assert side.base is None
        assert not np.shares_memory(side, weight)


def test_building_a_profile_takes_little_more_memory_than_one_copy() -> None:
    weight = np.random.default_rng(0).normal(size=(2000, 2000)).astype(np.float32)
    tracemalloc.start()
    try:
        profile = profile_of(weight)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert profile.zeros == np.count_nonzero(weight == 0)
    assert peak < 1.1 * weight.nbytes


def test_a_layer_of_zeros_has_a_histogram() -> None:
    profile = profile_of(np.zeros((2, 3), np.float32))
    histogram = profile.histogram(profile.what_if(0.5), 4)
    assert profile.largest == 0.0
    assert histogram.edges.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert histogram.before.tolist() == histogram.after.tolist() == [0, 0, 0, 0]


def test_the_histogram_of_known_weights_has_the_expected_counts() -> None:
    profile = profile_of(np.array([-4, -3.5, -1, 0, 1.5, 2.5, 3.9], np.float32))
    cut = profile.what_if(3 / 7)
    histogram = profile.histogram(cut, 4)
    assert (cut.threshold, cut.kept) == (1.5, 4)
    assert histogram.before.tolist() == [2, 1, 1, 2]
    assert histogram.after.tolist() == [2, 0, 0, 2]
    assert profile.largest == pytest.approx(4.0)
