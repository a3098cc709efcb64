"""The threshold of a layer; the k-th magnitude equals torch's kthvalue bit for bit."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch import Tensor

from core.errors import InputError
from core.pruning import thresholds as module
from core.pruning.thresholds import kth_magnitude, pruned_by, threshold

EXTREMES = [0.0, -0.0, 1e-45, -1e-45, 1e-40, 1.1754944e-38, 3.4028235e38, math.inf, -math.inf]
TIES = st.sampled_from([*EXTREMES, 0.5, -0.5, 1.0, np.nextafter(np.float32(1), np.float32(2))])
FLOATS = st.floats(width=32, allow_nan=False)
VALUES = TIES | st.floats(-(2**100), 2**100, width=32)
SHAPES = npst.array_shapes(min_dims=1, max_dims=3, max_side=6)
TENSORS = npst.arrays(np.float32, SHAPES, elements=VALUES).map(torch.from_numpy)
DISTINCT = st.lists(st.floats(0, 2**100, width=32), min_size=1, unique=True).map(torch.tensor)
SPARSITIES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
SEEDS = st.integers(0, 2**32 - 1)


def kthvalue(weight: Tensor, k: int) -> float:
    return float(weight.detach().abs().flatten().kthvalue(k).values)


def any_bits(seed: int, size: int) -> Tensor:
    """Floats of uniformly random bits, subnormals and infinities included, NaN excluded."""
    bits = np.random.default_rng(seed).integers(0, 2**32, size, np.uint32)
    return torch.from_numpy(bits.view(np.float32)).nan_to_num(0.0, math.inf, -math.inf)


@given(TENSORS, SPARSITIES)
def test_threshold_is_the_kth_smallest_magnitude(weight: Tensor, sparsity: float) -> None:
    k = round(sparsity * weight.numel())
    magnitudes = sorted(abs(value) for value in weight.flatten().tolist())
    assert threshold(weight, sparsity) == (magnitudes[k - 1] if k else 0.0)


@given(TENSORS, SPARSITIES)
def test_weights_not_above_the_threshold_are_pruned(weight: Tensor, sparsity: float) -> None:
    cut = threshold(weight, sparsity)
    pruned = pruned_by(weight, cut)
    assert pruned.shape == weight.shape
    assert pruned.flatten().tolist() == [abs(value) <= cut for value in weight.flatten().tolist()]
    assert int(pruned.sum()) >= round(sparsity * weight.numel())


@given(DISTINCT, SPARSITIES)
def test_exactly_k_are_pruned_if_magnitudes_differ(weight: Tensor, sparsity: float) -> None:
    k = round(sparsity * weight.numel())
    pruned = pruned_by(weight, threshold(weight, sparsity))
    assert int(pruned.sum()) == max(k, int((weight == 0).sum()))


@given(TENSORS)
def test_sparsity_0_prunes_only_zeros_and_1_prunes_all(weight: Tensor) -> None:
    assert torch.equal(pruned_by(weight, threshold(weight, 0.0)), weight == 0)
    assert bool(pruned_by(weight, threshold(weight, 1.0)).all())


@given(TENSORS, SPARSITIES, SPARSITIES)
def test_a_higher_sparsity_keeps_a_subset(weight: Tensor, one: float, other: float) -> None:
    assert threshold(weight, min(one, other)) <= threshold(weight, max(one, other))


@pytest.mark.parametrize("sparsity", [float("nan"), float("inf"), 1.2, -0.1])
def test_a_sparsity_that_is_not_a_fraction_has_no_threshold(sparsity: float) -> None:
    with pytest.raises(InputError, match=f"sparsity {sparsity} .*from 0 to 1"):
        threshold(torch.zeros(4), sparsity)


@pytest.fixture(scope="class")
def small_pieces() -> Iterator[None]:
    """Select few weights like many, in chunks that do not divide their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEW", 0)
        patch.setattr(module, "_CHUNK", 700)
        yield


@pytest.mark.usefixtures("small_pieces")
class TestRadix:
    @given(npst.arrays(np.float32, st.integers(1, 30), elements=TIES | FLOATS))
    def test_every_kth_of_a_few_equals_that_of_a_sort(self, weight: np.ndarray) -> None:
        tensor = torch.from_numpy(weight)
        expected = np.sort(np.abs(weight)).tolist()
        assert [kth_magnitude(tensor, k) for k in range(1, weight.size + 1)] == expected
        assert kthvalue(tensor, weight.size) == expected[-1]

    @given(SEEDS, st.integers(1, 5000), st.floats(0, 1))
    def test_the_kth_of_thousands_of_any_exponent_equals_that_of_a_sort(
        self, seed: int, size: int, share: float
    ) -> None:
        weight, k = any_bits(seed, size), 1 + round(share * (size - 1))
        assert kth_magnitude(weight, k) == kthvalue(weight, k)

    @given(SEEDS, st.integers(1, 5000), st.integers(0, 3), st.floats(0, 1))
    def test_the_kth_of_thousands_with_ties_equals_that_of_a_sort(
        self, seed: int, size: int, decimals: int, share: float
    ) -> None:
        torch.manual_seed(seed)
        weight, k = torch.randn(size).round(decimals=decimals), 1 + round(share * (size - 1))
        assert kth_magnitude(weight, k) == kthvalue(weight, k)

    @given(SEEDS, st.floats(0, 1))
    def test_numbers_that_differ_only_in_their_last_bits_are_distinguished(
        self, seed: int, share: float
    ) -> None:
        bits = np.random.default_rng(seed).integers(0x3F7F_FF00, 0x3F80_0100, 2000, np.uint32)
        weight, k = torch.from_numpy(bits.view(np.float32)), 1 + round(share * 1999)
        assert kth_magnitude(weight, k) == kthvalue(weight, k)

    def test_nan_is_the_largest(self) -> None:
        weight = torch.tensor([math.nan, -2.0, math.inf, -math.nan])
        assert [kth_magnitude(weight, k) for k in (1, 2)] == [2.0, math.inf]
        assert math.isnan(kth_magnitude(weight, 3))
        assert math.isnan(kthvalue(weight, 3))


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "channels_last", "parameter"])
def test_the_kth_of_many_weights_is_right_in_any_layout(layout: str) -> None:
    weight = any_bits(0, 300_000).reshape(10, 30, 40, 25)
    match layout:
        case "transposed":
            weight = weight.permute(3, 2, 1, 0)
        case "channels_last":
            weight = weight.to(memory_format=torch.channels_last)
        case "parameter":
            weight = torch.nn.Parameter(weight)
    before = weight.clone()
    for k in (1, 2, 150_000, 299_999, 300_000):
        assert kth_magnitude(weight, k) == kthvalue(weight, k)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("size", [1, 1000, 300_000])
def test_the_kth_is_right_in_other_dtypes(dtype: torch.dtype, size: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(size, dtype=dtype)
    for k in {1, (size + 1) // 2, size}:
        assert kth_magnitude(weight, k) == float(weight.abs().sort().values[k - 1])


@pytest.mark.parametrize("k", [-1, 0, 5])
def test_a_k_out_of_range_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"k is {k}: expected 1 to 4"):
        kth_magnitude(torch.ones(2, 2), k)


def test_many_weights_are_not_copied() -> None:
    weight = torch.ones(8_000_000)
    tracemalloc.start()
    try:
        kth_magnitude(weight, 4_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < weight.nbytes / 3
