"""Masks of any tensor, and the reference's counts."""

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
from core.pruning.masks import Masks, sparsity_of
from core.pruning.plans import Plan
from core.pruning.presets import preset_plan
from core.pruning.thresholds import pruned_by, threshold

TIES = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 3.0])
VALUES = TIES | st.floats(-(2**100), 2**100, width=32)
SHAPES = npst.array_shapes(min_dims=1, max_dims=3, max_side=6)
TENSORS = npst.arrays(np.float32, SHAPES, elements=VALUES).map(torch.from_numpy)
SPARSITIES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


@given(TENSORS, SPARSITIES)
def test_pruning_twice_equals_pruning_once(weight: Tensor, sparsity: float) -> None:
    once = weight.masked_fill(pruned_by(weight, threshold(weight, sparsity)), 0.0)
    assert torch.equal(once, once.masked_fill(pruned_by(once, threshold(once, sparsity)), 0.0))


@given(TENSORS)
def test_sparsity_counts_zeros_of_either_sign(weight: Tensor) -> None:
    zeros = sum(value == 0 for value in weight.flatten().tolist())
    assert sparsity_of(weight) == pytest.approx(zeros / weight.numel())


@given(TENSORS, SPARSITIES)
def test_masks_prune_existing_zeros(weight: Tensor, sparsity: float) -> None:
    layer = Layer("it", tuple(weight.shape), weight.numel(), weight.numel())
    masks = Masks.of({layer.key: weight}, [layer], {"it": sparsity})
    zeros = weight == 0
    assert bool(masks.pruned[layer.key][zeros].all())
    assert masks.kept(layer) <= weight.numel() - int(zeros.sum())


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str
)
@pytest.mark.parametrize("shape", [(7, 11), (400, 500)])
def test_masks_work_for_any_dtype(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    weight = torch.randn(shape, dtype=dtype)
    layer = Layer("it", shape, weight.numel(), weight.numel())
    for sparsity in (0.0, 0.3, 0.96, 1.0):
        masks = Masks.of({layer.key: weight}, [layer], {"it": sparsity})
        k = round(sparsity * weight.numel())
        level = weight.abs().flatten().sort().values[k - 1] if k else -1.0
        assert torch.equal(masks.pruned[layer.key], weight.abs() <= level)


@pytest.mark.parametrize("sparsity", [float("nan"), float("inf"), 1.2, -0.1])
def test_a_sparsity_that_is_not_a_fraction_is_refused(sparsity: float) -> None:
    layer = Layer("conv1", (4,), 4, 4)
    with pytest.raises(InputError, match=f"sparsity {sparsity} of conv1: .*from 0 to 1"):
        Masks.of({"conv1.weight": torch.zeros(4)}, [layer], {"conv1": sparsity})


def pruned_footprint(weights: Weights, masks: Masks, layers: Sequence[Layer]) -> Footprint:
    """The footprint counted from the pruned tensors; every bias is kept."""
    pruned = masks.apply(weights)
    gone = sum(layer.elements - int(pruned[layer.key].count_nonzero()) for layer in layers)
    parameters = parameter_count(Cnn5())
    return Footprint(parameters, parameters - gone)


def test_the_aggressive_preset_gives_the_documented_counts(
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


def test_convolutions_and_linear_layers_are_prunable() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Linear(4, 5, bias=False))
    )
    assert prunable_layers(net) == (
        Layer("0", (2, 1, 3, 3), elements=18, parameters=20, kind="convolution"),
        Layer("2.0", (5, 4), elements=20, parameters=20, kind="linear"),
    )
