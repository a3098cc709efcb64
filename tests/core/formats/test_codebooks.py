"""Quantized tensors: k-means codebooks and integer steps."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as npst
from torch import Tensor

from core.errors import InputError
from core.formats.codebooks import CodebookTensor, StepTensor

WEIGHTS = npst.arrays(
    "float32",
    npst.array_shapes(min_dims=1, max_dims=4, max_side=6),
    elements=st.one_of(st.just(0.0), st.floats(-8, 8, width=32)),
).map(torch.from_numpy)


@given(weight=WEIGHTS, size=st.integers(1, 256))
def test_zeros_stay_and_nonzeros_share_at_most_size_values(weight: Tensor, size: int) -> None:
    codebook = CodebookTensor.of(weight, size)
    rounded = codebook.tensor()
    assert rounded.shape == weight.shape
    assert rounded.dtype == torch.float32
    assert not rounded[weight == 0].any()
    assert len(torch.unique(rounded[weight != 0])) <= size
    assert torch.equal(codebook.values, codebook.values.to(torch.bfloat16).float())
    assert bool((codebook.values.diff() >= 0).all())


@given(weight=WEIGHTS, size=st.integers(1, 8))
def test_each_weight_gets_the_nearest_value(weight: Tensor, size: int) -> None:
    codebook = CodebookTensor.of(weight, size)
    exact = weight[weight != 0].double()
    least = (exact[:, None] - codebook.values.double()[None, :]).abs().amin(1)
    ours = (exact - codebook.tensor()[weight != 0].double()).abs()
    # A tie goes either way.
    assert torch.allclose(ours, least, rtol=1e-6, atol=1e-7)


def test_k_means_finds_the_clusters() -> None:
    torch.manual_seed(0)
    centers = torch.tensor([-2.0, -0.5, 0.25, 1.0])
    weight = centers[torch.arange(400) % 4] + 0.01 * torch.randn(400)
    codebook = CodebookTensor.of(weight.reshape(20, 20), 4)
    assert torch.allclose(codebook.values, centers, atol=0.02)
    counts = torch.bincount(codebook.codes)
    assert counts.tolist() == [100] * 4


def test_more_values_mean_less_error() -> None:
    torch.manual_seed(1)
    weight = torch.randn(64, 64)
    errors = [
        float((CodebookTensor.of(weight, size).tensor() - weight).square().mean())
        for size in (2, 4, 8, 32)
    ]
    assert errors == sorted(errors, reverse=True)
    # Lloyd (1982), Max (1960): the best two values for a normal distribution leave 0.3634.
    assert errors[0] == pytest.approx(0.3634, abs=0.02)
    steps = float((StepTensor.of(weight, 8).tensor() - weight).square().mean())
    assert steps > errors[2], "evenly spaced values are no better than those of k-means"


@given(weight=WEIGHTS, size=st.integers(2, 256))
def test_steps_are_multiples_near_the_weights(weight: Tensor, size: int) -> None:
    steps = StepTensor.of(weight, size)
    assert torch.equal(steps.tensor(), steps.counts.float() * steps.step)
    assert len(torch.unique(steps.tensor())) <= size + 1 + size % 2
    # A step is rounded to eight bits, and the furthest weight may be half a step and that away.
    far = (steps.tensor() - weight).abs().max() if weight.numel() else torch.zeros(())
    assert float(far) <= steps.step * (0.5 + size * 2**-8)
    assert steps.step > 0


@given(tensor=WEIGHTS)
def test_requantizing_the_same_weights_keeps_the_codes(tensor: Tensor) -> None:
    steps = StepTensor.by(tensor, 0.25)
    assert torch.equal(steps.requantized(steps.part(tensor)).counts, steps.counts)
    shared = CodebookTensor.of(tensor, 4)
    once = shared.requantized(shared.part(tensor))
    assert torch.equal(once.codes, shared.codes)


def test_sizes_out_of_range_are_refused() -> None:
    for size in (0, 257, -1):
        with pytest.raises(InputError, match=f"^{size} .*expected 1 to 256"):
            CodebookTensor.of(torch.ones(3), size)
        with pytest.raises(InputError, match=f"^{size} .*expected 1 to 256"):
            StepTensor.of(torch.ones(3), size)
