"""The pruning rule: threshold and mask of any tensor, and the reference's counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch import Tensor, nn

from core.errors import InputError
from core.nets.architectures import Cnn5
from core.nets.footprint import Footprint
from core.nets.layers import Layer, parameter_count, prunable_layers
from core.nets.weights import Weights
from core.pruning.masks import Masks, keep_mask, sparsity_of, threshold
from core.pruning.plans import Plan
from core.pruning.presets import preset_plan

TIES = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 3.0])
VALUES = TIES | st.floats(-(2**100), 2**100, width=32)
SHAPES = npst.array_shapes(min_dims=1, max_dims=3, max_side=6)
TENSORS = npst.arrays(np.float32, SHAPES, elements=VALUES).map(torch.from_numpy)
DISTINCT = st.lists(st.floats(0, 2**100, width=32), min_size=1, unique=True).map(torch.tensor)
SPARSITIES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


def magnitudes(weight: Tensor) -> list[float]:
    return sorted(abs(value) for value in weight.flatten().tolist())


@given(TENSORS, SPARSITIES)
def test_threshold_is_the_kth_smallest_magnitude(weight: Tensor, sparsity: float) -> None:
    k = round(sparsity * weight.numel())
    assert threshold(weight, sparsity) == (magnitudes(weight)[k - 1] if k else 0.0)


@given(TENSORS, SPARSITIES)
def test_kept_is_what_lies_strictly_above_the_threshold(weight: Tensor, sparsity: float) -> None:
    k = round(sparsity * weight.numel())
    kept = keep_mask(weight, sparsity)
    above = [abs(value) > threshold(weight, sparsity) for value in weight.flatten().tolist()]
    assert kept.shape == weight.shape
    assert kept.flatten().tolist() == (above if k else [True] * weight.numel())


@given(TENSORS, SPARSITIES)
def test_at_least_k_are_dropped(weight: Tensor, sparsity: float) -> None:
    k = round(sparsity * weight.numel())
    assert int(keep_mask(weight, sparsity).sum()) <= weight.numel() - k


@given(DISTINCT, SPARSITIES)
def test_exactly_k_are_dropped_where_magnitudes_differ(weight: Tensor, sparsity: float) -> None:
    k = round(sparsity * weight.numel())
    assert int(keep_mask(weight, sparsity).sum()) == weight.numel() - k


@given(TENSORS)
def test_sparsity_0_keeps_all_and_1_keeps_none(weight: Tensor) -> None:
    assert bool(keep_mask(weight, 0.0).all())
    assert not bool(keep_mask(weight, 1.0).any())


@given(TENSORS, SPARSITIES, SPARSITIES)
def test_a_higher_sparsity_keeps_a_subset(weight: Tensor, one: float, other: float) -> None:
    more, fewer = keep_mask(weight, min(one, other)), keep_mask(weight, max(one, other))
    assert bool((more | ~fewer).all())


@given(TENSORS, SPARSITIES)
def test_pruning_twice_is_pruning_once(weight: Tensor, sparsity: float) -> None:
    once = weight * keep_mask(weight, sparsity)
    assert torch.equal(once, once * keep_mask(once, sparsity))


@given(TENSORS)
def test_zero_share_counts_zeros_of_either_sign(weight: Tensor) -> None:
    zeros = sum(value == 0 for value in weight.flatten().tolist())
    assert sparsity_of(weight) == pytest.approx(zeros / weight.numel())


@given(TENSORS, SPARSITIES)
def test_zeros_are_a_floor_of_the_masks(weight: Tensor, sparsity: float) -> None:
    layer = Layer("it", tuple(weight.shape), weight.numel(), weight.numel())
    masks = Masks.of({layer.key: weight}, [layer], {"it": sparsity})
    zeros = weight == 0
    assert torch.equal(masks.pruned[layer.key], zeros | ~keep_mask(weight, sparsity))
    assert masks.kept(layer) <= weight.numel() - int(zeros.sum())


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str
)
@pytest.mark.parametrize("shape", [(7, 11), (400, 500)])
def test_masks_are_made_of_any_dtype(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    weight = torch.randn(shape, dtype=dtype)
    layer = Layer("it", shape, weight.numel(), weight.numel())
    for sparsity in (0.0, 0.3, 0.96, 1.0):
        masks = Masks.of({layer.key: weight}, [layer], {"it": sparsity})
        k = round(sparsity * weight.numel())
        level = weight.abs().flatten().sort().values[k - 1] if k else -1.0
        assert torch.equal(masks.pruned[layer.key], weight.abs() <= level)
        assert torch.equal(masks.pruned[layer.key], ~keep_mask(weight, sparsity))


@pytest.mark.parametrize("sparsity", [float("nan"), float("inf"), 1.2, -0.1])
def test_a_sparsity_that_is_no_fraction_is_refused(sparsity: float) -> None:
    weight = torch.zeros(4)
    for prune in (threshold, keep_mask):
        with pytest.raises(InputError, match=f"sparsity {sparsity} .*from 0 to 1"):
            prune(weight, sparsity)
    layer = Layer("conv1", (4,), 4, 4)
    with pytest.raises(InputError, match=f"sparsity {sparsity} of conv1: .*from 0 to 1"):
        Masks.of({"conv1.weight": weight}, [layer], {"conv1": sparsity})


def pruned_footprint(weights: Weights, masks: Masks, layers: Sequence[Layer]) -> Footprint:
    """Counted from the pruned tensors, every bias as kept."""
    pruned = masks.apply(weights)
    gone = sum(layer.elements - int(pruned[layer.key].count_nonzero()) for layer in layers)
    parameters = parameter_count(Cnn5())
    return Footprint(parameters, parameters - gone)


def test_the_aggressive_choice_gives_the_documented_counts(
    dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
) -> None:
    masks = Masks.of(dense, layers, aggressive)
    footprint = pruned_footprint(dense, masks, layers)
    assert [masks.kept(layer) for layer in layers] == [280, 1280, 1024, 2949, 256]
    assert (footprint.parameters, footprint.nonzero) == (228_010, 6_183)
    assert round(footprint.ratio, 2) == 36.88


@pytest.mark.parametrize(
    ("preset", "percent"), [("moderate", 11.74), ("uniform", 32.12), ("aggressive", 2.71)]
)
def test_presets_give_the_documented_sizes(
    dense: Weights, layers: tuple[Layer, ...], preset: str, percent: float
) -> None:
    plan = preset_plan(preset, "cnn5", [layer.name for layer in layers])
    footprint = pruned_footprint(dense, Masks.of(dense, layers, plan), layers)
    share = 100 * footprint.pruned_bytes / footprint.dense_bytes
    assert share == pytest.approx(percent, abs=0.005)


def test_biases_are_never_pruned(dense: Weights, layers: tuple[Layer, ...]) -> None:
    pruned = Masks.of(dense, layers, dict.fromkeys((la.name for la in layers), 1.0)).apply(dense)
    biases = [name for name in dense if name.endswith(".bias")]
    assert len(biases) == 5
    assert all(torch.equal(pruned[name], dense[name]) for name in biases)
    assert all(int(pruned[layer.key].count_nonzero()) == 0 for layer in layers)


def test_layers_that_can_be_pruned_are_convolutions_and_linear_ones() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Linear(4, 5, bias=False))
    )
    assert prunable_layers(net) == (
        Layer("0", (2, 1, 3, 3), elements=18, parameters=20, kind="convolution"),
        Layer("2.0", (5, 4), elements=20, parameters=20, kind="linear"),
    )
