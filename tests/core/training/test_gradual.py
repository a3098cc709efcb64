"""The pruner: masks only tighten, end at the plan, and hold under any optimizer."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD

from core.nets.layers import prunable_layers
from core.pruning.masks import Masks
from core.training.gradual import Pruner
from tests.core.training_loops import kept_counts, planned_counts, short


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))


def build_pruner(model: nn.Module, plan: dict[str, float], steps: int, **recipe: object) -> Pruner:
    """A pruner for one epoch of `steps` steps of 12 images each."""
    final = Masks.of(model.state_dict(), prunable_layers(model), plan)
    return Pruner(model, plan, short("fast", **recipe), final, steps, {})


def step(model: nn.Module, optimizer: SGD) -> None:
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()


@settings(max_examples=30)
@given(
    st.fixed_dictionaries({"1": st.floats(0, 1), "3": st.floats(0, 1)}),
    st.integers(2, 12),
    st.floats(0.2, 1),
    st.integers(1, 5),
)
def test_masks_only_tighten_and_end_at_the_plan(
    plan: dict[str, float], steps: int, ramp: float, renew_every: int
) -> None:
    model = net()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    pruner = build_pruner(model, plan, steps, ramp=ramp, renew_every=renew_every)
    pruned = {key: torch.zeros_like(mask) for key, mask in pruner.masks.pruned.items()}
    for _ in range(steps):
        step(model, optimizer)
        pruner.after_step(optimizer)
        for key, before in pruned.items():
            assert (pruner.masks.pruned[key] | ~before).all(), "no mask opens again"
            assert not model.get_parameter(key)[pruner.masks.pruned[key]].any()
        pruned = dict(pruner.masks.pruned)
    assert pruner.finished
    assert kept_counts(model.state_dict(), pruner.layers) == planned_counts(plan, pruner.layers)


@given(st.integers(1, 20), st.integers(2, 40))
def test_the_first_full_epoch_is_the_first_that_ends_with_the_ramp(epochs: int, steps: int) -> None:
    pruner = build_pruner(net(), {"1": 0.9, "3": 0.5}, steps, epochs=epochs)
    ends = [pruner.ramp_steps <= epoch * steps for epoch in range(1, epochs + 1)]
    assert ends.index(True) + 1 == pruner.recipe.first_full_epoch


def test_a_step_before_the_end_of_the_ramp_is_less_sparse_than_the_plan() -> None:
    model = net()
    pruner = build_pruner(model, {"1": 0.9, "3": 0.5}, steps=10, ramp=1.0, renew_every=1)
    optimizer, seen = SGD(model.parameters(), lr=0.1), []
    for _ in range(10):
        step(model, optimizer)
        pruner.after_step(optimizer)
        seen.append(pruner.sparsity())
    assert seen == sorted(seen)
    assert seen[0] < seen[4] < seen[-1]
    left = [1 - (1 - number / 10) ** 3 for number in (1, 5, 10)]
    shares = [seen[0] / seen[-1], seen[4] / seen[-1], 1.0]
    assert shares == pytest.approx(left, abs=0.03)


def test_finishing_early_prunes_to_the_plan_at_once() -> None:
    model, plan = net(), {"1": 0.75, "3": 0.5}
    pruner = build_pruner(model, plan, steps=10, ramp=1.0)
    assert not pruner.finished
    pruner.finish(plan, model.state_dict())
    assert kept_counts(model.state_dict(), pruner.layers) == planned_counts(plan, pruner.layers)


def test_a_recipe_that_is_not_gradual_holds_the_plan_from_the_start() -> None:
    model, plan = net(), {"1": 0.75, "3": 0.5}
    pruner = build_pruner(model, plan, steps=10, method="one-shot")
    assert pruner.finished
    assert pruner.sparsity() == pytest.approx((0.75 * 192 + 0.5 * 48) / 240)


def test_a_resumed_pruner_continues_as_if_uninterrupted() -> None:
    plan = {"1": 0.9, "3": 0.5}
    model = net()
    optimizer = SGD(model.parameters(), lr=0.1)
    whole = build_pruner(model, plan, steps=10, ramp=1.0, renew_every=1)
    for _ in range(4):
        step(model, optimizer)
        whole.after_step(optimizer)
    other = net()
    other.load_state_dict(model.state_dict())
    again = build_pruner(other, plan, steps=10, ramp=1.0, renew_every=1)
    again.start, state = whole.start, whole.state()
    again.resume(state)
    assert (again.step, again.sparsity()) == (4, whole.sparsity())
    torch.manual_seed(1)
    step(model, optimizer)
    whole.after_step(optimizer)
    torch.manual_seed(1)
    behind = SGD(other.parameters(), lr=0.1)
    step(other, behind)
    again.after_step(behind)
    assert all(again.masks.pruned[key].equal(mask) for key, mask in whole.masks.pruned.items())


@given(st.floats(0, 0.99))
def test_dropout_scales_with_the_root_of_the_remaining_share(sparsity: float) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Dropout(0.5), nn.Linear(12, 4))
    plan = {"1": sparsity, "3": 0.0}
    final = Masks.of(model.state_dict(), prunable_layers(model), plan)
    pruner = Pruner(model, plan, short("fast", method="one-shot"), final, 1, {"1": 0.5})
    left = pruner.masks.kept(pruner.layers[0]) / 192
    assert pruner.dropouts["1"].p == pytest.approx(0.5 * math.sqrt(left))
