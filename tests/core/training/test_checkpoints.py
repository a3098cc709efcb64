"""A training resumed after a crash gives the same result as an uninterrupted one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.data.batches import Splits
from core.errors import InputError
from core.events import Epoch
from core.nets.architectures import Cnn5
from core.nets.weights import Weights
from core.pruning.plans import Plan
from core.training.checkpoints import Checkpoint
from core.training.dense import train
from core.training.finetuning import FineTuningResult, finetune
from core.training.recipes import Recipe
from tests.core.conftest import head
from tests.core.training_loops import fresh, of_type, recorded, same, short

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def few_steps(tiny: Splits) -> Splits:
    """Enough for five steps of 12 images."""
    return Splits(head(tiny.train, 60), head(tiny.validation, 20), head(tiny.test, 20))


RECIPES = {
    "gradual": short("fast", epochs=3, renew_every=2),
    "one-shot": short("reference", epochs=3, method="one-shot"),
    "iterative": short("fast", epochs=2, method="iterative", rounds=2),
    "rewinding": short("fast", epochs=2, method="iterative", rounds=2, rewind=True, l1=1e-5),
}


def from_disk(checkpoint: Checkpoint, folder: Path) -> dict[str, Any]:
    """The state a later process reads."""
    save_file(dict(checkpoint.tensors), folder / "tensors.safetensors")
    return Checkpoint(load_file(folder / "tensors.safetensors"), checkpoint.json).state()


def tuned(
    base: Weights, plan: Plan, data: Splits, recipe: Recipe, **options: Any
) -> tuple[FineTuningResult, list[Checkpoint], list[Epoch]]:
    early = {name: 0.5 * tensor for name, tensor in base.items()}
    stream = finetune(Cnn5(), base, plan, data, recipe, early=early, **options)
    result, events = recorded(stream)
    return result, of_type(Checkpoint, events), of_type(Epoch, events)


@pytest.mark.parametrize("name", RECIPES)
def test_a_fine_tuning_resumed_at_any_epoch_ends_with_the_same_bits(
    name: str, few_steps: Splits, dense: Weights, aggressive: Plan, tmp_path: Path
) -> None:
    recipe = RECIPES[name]
    whole, checkpoints, _ = tuned(dense, aggressive, few_steps, recipe, checkpoints=True)
    assert len(checkpoints) == recipe.epochs == len(whole.epochs)
    for done, checkpoint in enumerate(checkpoints, start=1):
        resume = from_disk(checkpoint, tmp_path)
        again, _, told = tuned(dense, aggressive, few_steps, recipe, resume=resume)
        assert same(again.weights, whole.weights)
        assert again.best == whole.best
        assert again.accuracy == whole.accuracy
        assert again.revived == 0
        assert len(told) == recipe.epochs - done
        assert [replace(e, seconds=0.0) for e in again.epochs] == [
            replace(e, seconds=0.0) for e in whole.epochs
        ]


def test_a_dense_training_resumed_at_any_epoch_ends_with_the_same_bits(
    few_steps: Splits, tmp_path: Path
) -> None:
    phase = short("reference", epochs=3).dense
    phase = replace(phase, batch_size=12, epochs=3)
    whole, events = recorded(train(fresh(), few_steps, phase, checkpoints=True))
    for checkpoint in of_type(Checkpoint, events):
        state = from_disk(checkpoint, tmp_path)
        again, _ = recorded(train(fresh(5), few_steps, phase, resume=state))
        assert same(again.weights, whole.weights)
        assert same(again.early, whole.early)
        assert (again.best, again.accuracy) == (whole.best, whole.accuracy)


def test_a_checkpoint_is_not_touched_by_the_epochs_after_it(
    few_steps: Splits, dense: Weights, aggressive: Plan
) -> None:
    stream = finetune(Cnn5(), dense, aggressive, few_steps, RECIPES["gradual"], checkpoints=True)
    first, before = None, {}
    for event in stream:
        if isinstance(event, Checkpoint) and first is None:
            first, before = event, {name: t.clone() for name, t in event.tensors.items()}
    assert first is not None
    assert same(dict(first.tensors), before)


def test_without_a_request_no_checkpoint_is_reported(
    few_steps: Splits, dense: Weights, aggressive: Plan
) -> None:
    _, checkpoints, epochs = tuned(dense, aggressive, few_steps, short("fast"))
    assert (checkpoints, len(epochs)) == ([], 1)


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
tensors = st.lists(st.integers(-9, 9), min_size=1).map(torch.tensor)
states = st.recursive(
    plain | tensors,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text().filter(lambda key: not key.startswith("$")), inner)
        | st.dictionaries(st.integers(), inner, min_size=1)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text("abc/", min_size=1), states, max_size=4))
def test_any_state_survives_flattening(state: dict[str, Any]) -> None:
    checkpoint = Checkpoint.of(state)
    assert equal(checkpoint.state(), state)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def test_a_missing_tensor_is_named() -> None:
    checkpoint = Checkpoint.of({"model": {"fc.weight": torch.ones(2)}})
    with pytest.raises(InputError, match=r"'0 state/model/fc\.weight'"):
        Checkpoint({}, checkpoint.json).state()
