"""Importances in place of weights: exact counts, floors, a user's own criterion, errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor, nn

import core
from core.criteria.criterion import Importance, Sample
from core.criteria.ranking import signed
from core.data.batches import Splits
from core.errors import InputError
from core.events import Notice
from core.nets.layers import Layer
from core.pruning.masks import Masks
from core.pruning.what_if import Profile
from core.training.finetuning import FineTuningResult

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = st.floats(2.0**-20, 2.0**20, width=32)


class Given:
    """A user's own criterion that returns what it was given."""

    name = "mine"

    def __init__(self, result: Any) -> None:
        self.result = result

    def importance(self, model: nn.Module, layers: Sequence[Layer], sample: Sample) -> Importance:
        result: Importance = self.result
        return result


class Columns:
    """Weights of later columns matter more, whatever their values."""

    name = "columns"

    def __init__(self) -> None:
        self.seen = 0

    def importance(self, model: nn.Module, layers: Sequence[Layer], sample: Sample) -> Importance:
        for _, labels in sample:
            self.seen += len(labels)
        return {
            layer.name: torch.arange(layer.shape[1]).float().expand(layer.shape) for layer in layers
        }


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 12), nn.ReLU(), nn.Linear(12, 10))


@settings(max_examples=30)
@given(
    arrays(np.float32, 30, elements=SIZES, unique=True),
    arrays(np.float32, 30, elements=SIZES, unique=True),
    st.lists(st.sampled_from(["live", "negative", "zero", "worthless"]), min_size=30, max_size=30),
    st.floats(0, 1),
)
def test_exactly_as_many_as_planned_are_pruned_the_least_important_first(
    magnitudes: np.ndarray[Any, Any],
    importances: np.ndarray[Any, Any],
    kinds: list[str],
    sparsity: float,
) -> None:
    weight, importance = torch.tensor(magnitudes), torch.tensor(importances)
    for place, kind in enumerate(kinds):
        weight[place] *= {"negative": -1, "zero": 0}.get(kind, 1)
        importance[place] *= kind != "worthless"
    ranked = signed(weight, importance)
    layer = Layer("it", (30,), 30, 30)
    pruned = Masks.of({layer.key: ranked}, [layer], {"it": sparsity}).pruned[layer.key]
    zeros = int((weight == 0).sum())
    assert int(pruned.sum()) == max(round(30 * sparsity), zeros)
    assert bool(pruned[weight == 0].all()), "zeros stay the floor"
    assert torch.equal(ranked.sign(), weight.sign())
    keys = [
        (float(importance[place]), abs(float(weight[place])))
        for place in range(30)
        if kinds[place] != "zero"
    ]
    gone = [bool(each) for place, each in enumerate(pruned) if kinds[place] != "zero"]
    least_kept = min(
        (key for key, is_gone in zip(keys, gone, strict=True) if not is_gone), default=()
    )
    assert all(key < least_kept for key, is_gone in zip(keys, gone, strict=True) if is_gone) or (
        not least_kept
    )
    profile = Profile.of(layer, ranked.numpy())
    assert profile.what_if(max(sparsity, profile.floor)).kept == 30 - int(pruned.sum())


def test_a_criterion_of_ones_own_decides_in_every_function(few: Splits, tiny: Splits) -> None:
    model, plan, mine = net(), {"1": 0.75, "3": 0.5}, Columns()
    masks = core.prune(model, plan, criterion=mine, data=few)
    assert mine.seen == 1000
    weight = model[1].weight.detach()
    assert not weight[:, :588].any()
    assert bool((weight[:, 588:] != 0).all())
    assert torch.equal(masks.pruned["3.weight"], torch.arange(12).lt(6).expand(10, 12))
    mine.name = "magnitude"  # what it is called does not matter
    named = core.prune(net(), plan, criterion=mine, data=few)
    assert torch.equal(named.pruned["1.weight"], masks.pruned["1.weight"])
    mine.name = "columns"
    result = tuned(net(), plan, tiny, mine)
    assert torch.equal(result.masks.pruned["1.weight"], masks.pruned["1.weight"])
    assert (result.recipe.criterion, result.revived) == ("columns", 0)


def tuned(
    model: nn.Module, plan: dict[str, float], data: Splits, criterion: Any, **changes: Any
) -> FineTuningResult:
    recipe = core.RecipeChanges(epochs=1, batch_size=12, **changes)
    return core.finetune(model, plan, data, changes=recipe, criterion=criterion)


@pytest.mark.parametrize("criterion", ["wanda", "taylor", "obs", "random"])
@pytest.mark.parametrize("method", ["gradual", "iterative"])
def test_fine_tuning_by_a_criterion_meets_the_plan_and_repeats(
    criterion: str, method: str, tiny: Splits
) -> None:
    plan, rounds = {"1": 0.9, "3": 0.5}, {"rounds": 2} if method == "iterative" else {}
    one, two = (tuned(net(), plan, tiny, criterion, method=method, **rounds) for _ in range(2))
    for key, count in {"1.weight": round(0.9 * 9408), "3.weight": 60}.items():
        assert int(one.masks.pruned[key].sum()) == count
        assert torch.equal(one.weights[key], two.weights[key])
    magnitude = tuned(net(), plan, tiny, None, method=method, **rounds)
    assert not torch.equal(one.masks.pruned["1.weight"], magnitude.masks.pruned["1.weight"])


def test_a_stop_while_masks_tighten_prunes_the_rest_by_the_criterion(few: Splits) -> None:
    plan, mine = {"1": 0.75}, Columns()
    changes = core.RecipeChanges(epochs=4, batch_size=100)
    model = net()
    result = core.finetune(
        model, plan, few, changes=changes, criterion=mine, stop=lambda: mine.seen >= 1500
    )
    assert mine.seen == 2500, "the base, half of a step, and the rest at the end"
    assert result.best is None
    assert result.stopped
    assert not result.weights["1.weight"][:, :588].any()
    assert int(result.weights["1.weight"].count_nonzero()) == 2352


def test_plans_and_scans_by_a_criterion(few: Splits) -> None:
    model = net()
    plan = core.plan(model, 10, method="magnitude", criterion="wanda", data=few)
    assert plan != core.plan(model, 10, method="magnitude")
    core.prune(model, plan, criterion="wanda", data=few)
    assert sum(int(weight.count_nonzero()) for weight in model.parameters()) == 9550 // 10
    model = net()
    scan = core.scan(model, few, sparsities=(0.75,), criterion=Columns())
    core.prune(model, {"1": 0.75}, criterion=Columns(), data=few)
    assert scan.layers["1"][0].accuracy == core.evaluate(model, few).validation


def test_layers_it_leaves_out_are_named_and_ranked_by_magnitude(few: Splits) -> None:
    model, events = net(), list[object]()
    part = {"3": torch.rand(10, 12)}
    masks = core.prune(
        model, {"1": 0.5, "3": 0.5}, criterion=Given(part), data=few, on_event=events.append
    )
    plain = core.prune(net(), {"1": 0.5, "3": 0.5})
    assert torch.equal(masks.pruned["1.weight"], plain.pruned["1.weight"])
    assert not torch.equal(masks.pruned["3.weight"], plain.pruned["3.weight"])
    assert Notice("mine cannot rank 1: magnitude does", warning=True) in events


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ("wanta", "unknown criterion 'wanta': expected one of magnitude, wanda.*'wanda'"),
        (7, "criterion 7: expected one of magnitude, .* or an object with a name"),
        (Columns, "criterion <class.*: expected one of"),
        (Given(3), "criterion 'mine' returned int: expected tensors by the names of layers"),
        (Given({"2": torch.ones(2)}), "criterion 'mine': unknown layer '2'; expected one of 1, 3"),
        (Given({"3": torch.ones(2)}), r"layer '3': found \(2,\), expected .* \(10, 12\)"),
        (Given({"3": 1.0}), "layer '3': found float, expected a tensor"),
        (Given({"3": -torch.ones(10, 12)}), "layer '3': 120 of 120 importances are .* or < 0"),
        (Given({"3": torch.full((10, 12), torch.nan)}), "expected finite ones of at least 0$"),
        (
            Given({"3": torch.full((10, 12), 1e300, dtype=torch.float64)}),
            "120 of 120 importances are NaN",
        ),
    ],
)
def test_what_is_no_criterion_is_refused_and_the_model_stays(
    criterion: Any, message: str, few: Splits
) -> None:
    model = net()
    with pytest.raises(InputError, match=message):
        core.prune(model, {"1": 0.5}, criterion=criterion, data=few)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), net().parameters(), strict=True)
    )


@pytest.mark.parametrize("criterion", ["wanda", "taylor", "obs"])
def test_a_net_whose_weights_are_not_finite_is_said_to_be_that(criterion: str, few: Splits) -> None:
    model = net()
    with torch.no_grad():
        model[1].weight[0, 0] = torch.nan
    with pytest.raises(
        InputError, match=rf"'{criterion}', layer .*; mend the net, .* by magnitude"
    ):
        core.prune(model, {"1": 0.5}, criterion=criterion, data=few)


def test_a_criterion_that_sees_images_asks_for_them() -> None:
    with pytest.raises(InputError, match=r"'wanda' sees training images: add data=core\.load"):
        core.prune(net(), {"1": 0.5}, criterion="wanda")


def test_magnitude_needs_no_images_and_gives_the_same_masks() -> None:
    plain, named = (
        core.prune(net(), {"1": 0.5}, **more) for more in ({}, {"criterion": "magnitude"})
    )
    same: list[Tensor] = [plain.pruned["1.weight"], named.pruned["1.weight"]]
    assert torch.equal(*same)
