"""Straight-through training: exact values collect updates and are requantized."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.formats.codebooks import CodebookTensor
from core.formats.straight_through import StraightThrough

NAME = "weight"


def quantized_model(seed: int, size: int) -> tuple[nn.Linear, StraightThrough]:
    torch.manual_seed(seed)
    model = nn.Linear(9, 7, bias=False)
    with torch.no_grad():
        model.weight[torch.rand(7, 9) < 0.4] = 0.0
        exact = model.weight.clone()
        rounded = CodebookTensor.of(exact, size)
        model.weight.copy_(rounded.tensor())
    return model, StraightThrough({NAME: exact}, {NAME: rounded})


@settings(max_examples=40)
@given(st.integers(0, 100), st.integers(1, 8), st.lists(st.floats(-0.5, 0.5), max_size=4))
def test_weights_stay_quantized_and_zeros_stay_zero(
    seed: int, size: int, moves: list[float]
) -> None:
    model, training = quantized_model(seed, size)
    zeros = model.weight == 0
    for move in moves:
        with torch.no_grad():
            model.weight += move * torch.randn(7, 9)
        training.after_step(model)
        assert model.weight.equal(training.quantized[NAME].tensor())
        assert len(model.weight.unique()) <= size + 1
        assert (model.weight[zeros] == 0).all()


def test_small_updates_add_up_until_a_weight_switches_values() -> None:
    model, training = quantized_model(1, 2)
    low, high = training.quantized[NAME].values.tolist()
    where = (model.weight == low).nonzero()[0].tolist()
    steps = 0
    while model.weight[tuple(where)].item() < (low + high) / 2:
        with torch.no_grad():
            model.weight[tuple(where)] += (high - low) / 20
        training.after_step(model)
        steps += 1
        assert steps < 100
    assert steps > 1, "one small move alone is rounded away"
