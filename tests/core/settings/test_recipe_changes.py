"""Changes to a recipe: what each does, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.data.batches import Splits
from core.errors import InputError
from core.events import Batch, drain
from core.fields.declaration import settings_in
from core.nets.architectures import Cnn5
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.pruning.masks import Masks, sparsity_of
from core.pruning.plans import Plan, uniform_plan
from core.settings.recipe_changes import DEFAULT_ROUNDS, NO_CHANGES, RecipeChanges
from core.training.finetuning import finetune
from core.training.losses import mean_loss
from core.training.recipes import (
    BATCH_VALUES,
    EPOCH_STEPS,
    LOSSES,
    MAX_FITTED_EPOCHS,
    MOMENTUM,
    OPTIMIZERS,
    RECIPES,
    SMALLEST_BATCH,
    TRAINING_STEPS,
    LossName,
    Recipe,
    TrainingSize,
)
from tests.core.training_loops import STEPS, kept_counts, planned_counts, short

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("choice", "given", "expected"),
    [
        ("epochs", -1, "from 0"),
        ("epochs", -3, "from 0"),
        ("rounds", 0, "from 1 to 100"),
        ("rounds", 101, "from 1 to 100"),
        ("method", "slowly", "one-shot, gradual, iterative"),
        ("lr", 0.0, "above 0"),
        ("lr", float("nan"), "above 0"),
        ("lr", float("inf"), "at most 100"),
        ("l1", -1e-9, "from 0 to 1"),
        ("l2", float("nan"), "from 0 to 1"),
        ("l2", 2.0, "from 0 to 1"),
        ("optimizer", "adam", "adamw, sgd, adadelta"),
        ("batch_size", 0, "from 1 to 1,000,000"),
        ("loss", "hinge", "cross-entropy, margin, squared"),
        ("smoothing", 1.0, "from 0 to below 1"),
        ("smoothing", float("nan"), "from 0 to below 1"),
        ("distill", 1.1, "from 0 to 1"),
    ],
)
def test_a_bad_change_is_refused_with_the_value_and_what_was_expected(
    choice: str, given: Any, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        RecipeChanges(**{choice: given})
    assert str(given) in str(caught.value)
    assert expected in str(caught.value)


def test_every_change_is_explained_in_a_line_that_fits_the_form() -> None:
    changes = settings_in(RecipeChanges)
    assert list(changes) == [field.name for field in fields(RecipeChanges)]
    lines = [change.meaning for change in changes.values()]
    lines += [line for change in changes.values() for line in change.kind.meanings.values()]
    assert all(0 < len(line) <= 37 for line in lines)


def test_another_optimizer_comes_with_its_own_learning_rate_and_decay() -> None:
    phase = RecipeChanges(optimizer="sgd").applied_to(RECIPES["fast"]).finetune
    assert (phase.optimizer, phase.momentum) == ("sgd", MOMENTUM)
    assert (phase.lr, phase.weight_decay) == OPTIMIZERS["sgd"][:2]
    assert (
        RecipeChanges(optimizer="sgd", l2=0.01).applied_to(RECIPES["fast"]).finetune.lr == phase.lr
    )
    assert RecipeChanges(optimizer="sgd", lr=0.3).applied_to(RECIPES["fast"]).finetune.lr == 0.3
    same = RECIPES["reference"]
    assert RecipeChanges(optimizer=same.finetune.optimizer).applied_to(same) == same


def test_smoothing_belongs_to_cross_entropy() -> None:
    assert RecipeChanges(smoothing=0.1).applied_to(RECIPES["fast"]).finetune.smoothing == 0.1
    with pytest.raises(InputError, match="needs the loss cross-entropy"):
        RecipeChanges(smoothing=0.1, loss="margin").applied_to(RECIPES["fast"])


@given(pixels=st.integers(1, 10**8), size=st.integers(1, 10**6))
def test_a_batch_holds_a_limited_number_of_pixels(pixels: int, size: int) -> None:
    phase = replace(RECIPES["fast"].finetune, batch_size=size)
    fitted = phase.fitted_to(TrainingSize(10**8, pixels))
    assert 1 <= fitted.batch_size <= size
    assert fitted.batch_size == 1 or fitted.batch_size * pixels <= BATCH_VALUES
    assert fitted.batch_size == size or (fitted.batch_size + 1) * pixels > BATCH_VALUES


@given(images=st.integers(1, 200_000))
def test_few_images_get_smaller_batches_and_more_epochs(images: int) -> None:
    phase = RECIPES["fast"].dense
    fitted = phase.fitted_to(TrainingSize(images, 784))
    steps = fitted.steps_in_epoch(images)
    assert SMALLEST_BATCH <= fitted.batch_size <= phase.batch_size
    assert steps >= EPOCH_STEPS or fitted.batch_size == SMALLEST_BATCH
    assert steps * fitted.epochs >= TRAINING_STEPS or fitted.epochs == MAX_FITTED_EPOCHS
    assert fitted.epochs == phase.epochs or steps * (fitted.epochs - 1) < TRAINING_STEPS


@pytest.mark.parametrize("images", [45_000, 55_000, 60_000])
def test_the_recipes_fit_mnist_and_cifar_as_they_are(images: int) -> None:
    for recipe in RECIPES.values():
        assert recipe.fitted_to(TrainingSize(images, 3 * 32 * 32)) == recipe


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_least_if_all_predictions_are_right(loss: LossName) -> None:
    phase, labels = replace(RECIPES["fast"].finetune, loss=loss), torch.tensor([0, 2, 1])
    right = torch.nn.functional.one_hot(labels, 3).float()
    wrong = right.roll(1, 1)
    losses = [float(mean_loss(phase, logits, labels)) for logits in (right, (right + wrong) / 2)]
    assert losses[0] < losses[1] < float(mean_loss(phase, wrong, labels))


@pytest.mark.slow
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "cross-entropy"])
def test_fine_tuning_lowers_every_loss(
    tiny: Splits, dense: Weights, aggressive: Plan, loss: LossName
) -> None:
    recipe = RecipeChanges(loss=loss).applied_to(short("reference", epochs=2))
    result = drain(finetune(Cnn5(), dense, aggressive, tiny, recipe))
    assert result.epochs[-1].loss < result.epochs[0].loss
    assert result.revived == 0


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_no_changes_leave_a_recipe_as_it_is(recipe: Recipe) -> None:
    assert NO_CHANGES.applied_to(recipe) == recipe
    assert NO_CHANGES.applied_to_phase(recipe.dense) == recipe.dense
    assert NO_CHANGES.explicit_values() == {}


def test_changes_apply_to_what_they_name() -> None:
    changes = RecipeChanges(
        epochs=2, lr=0.3, method="iterative", scale_dropout=False, l1=1e-5, l2=1e-3, rewind=True
    )
    recipe = changes.applied_to(RECIPES["fast"])
    phase = recipe.finetune
    assert (phase.epochs, phase.lr, phase.l1, phase.weight_decay) == (2, 0.3, 1e-5, 1e-3)
    assert (recipe.method, recipe.rounds, recipe.epochs) == (
        "iterative",
        DEFAULT_ROUNDS,
        2 * DEFAULT_ROUNDS,
    )
    assert (recipe.scale_dropout, recipe.rewind) == (False, True)
    assert recipe.dense == RECIPES["fast"].dense
    dense = changes.applied_to_phase(recipe.dense)
    assert (dense.epochs, dense.lr, dense.l1, dense.weight_decay) == (2, 0.3, 1e-5, 1e-3)


def test_several_rounds_imply_the_iterative_method() -> None:
    assert RecipeChanges(rounds=4).applied_to(RECIPES["fast"]).method == "iterative"
    assert RecipeChanges(rounds=1).applied_to(RECIPES["fast"]) == RECIPES["fast"]
    with pytest.raises(InputError, match="4 rounds need the method iterative"):
        RecipeChanges(rounds=4, method="one-shot").applied_to(RECIPES["fast"])


def test_rewinding_needs_masks_from_the_start() -> None:
    with pytest.raises(InputError, match="method one-shot or iterative"):
        RecipeChanges(rewind=True).applied_to(RECIPES["fast"])


def test_rewinding_needs_early_weights(tiny: Splits, dense: Weights, aggressive: Plan) -> None:
    recipe = short("reference", rewind=True)
    with pytest.raises(InputError, match="early weights"):
        drain(finetune(Cnn5(), dense, aggressive, tiny, recipe))


class TestRounds:
    RECIPE = short("reference", epochs=2, method="iterative", rounds=3, lr=0.01)

    @pytest.mark.slow
    def test_each_round_prunes_the_same_share_of_the_remaining_weights(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        half = uniform_plan(0.5, [layer.name for layer in layers])
        base = Masks.of(dense, layers, half).apply(dense)
        model, kept = Cnn5(), []
        for event in finetune(model, base, aggressive, tiny, self.RECIPE):
            if isinstance(event, Batch):
                kept.append(kept_counts(model.state_dict(), layers))
        assert len(kept) == 6 * STEPS
        for index, counts in enumerate(kept):
            part = (index // (2 * STEPS) + 1) / 3
            starts = {la.name: 1 - sparsity_of(base[la.key]) for la in layers}
            fractions = {
                name: 1 - starts[name] * ((1 - final) / starts[name]) ** part
                for name, final in aggressive.items()
            }
            assert counts == planned_counts(fractions, layers)

    def test_no_weight_grows_back_and_only_the_last_round_counts(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        model, zeros = Cnn5(), {la.key: torch.zeros(la.shape, dtype=torch.bool) for la in layers}
        stream = finetune(model, dense, aggressive, tiny, self.RECIPE)
        seconds = []
        try:
            while True:
                event = next(stream)
                if isinstance(event, Batch):
                    now = {key: model.get_parameter(key) == 0 for key in zeros}
                    assert all(bool(now[key][zeros[key]].all()) for key in zeros)
                    zeros = now
                    assert (event.epochs, event.epoch) == (6, len(seconds) // STEPS + 1)
                    seconds.append(event.seconds)
        except StopIteration as end:
            result = end.value
        assert seconds == sorted(seconds)
        assert [epoch.final for epoch in result.epochs] == [False] * 4 + [True] * 2
        assert [epoch.epoch for epoch in result.epochs] == [1, 2, 3, 4, 5, 6]
        assert result.best in (5, 6)
        assert (result.revived, result.recipe) == (0, self.RECIPE)
        assert kept_counts(result.weights, layers) == planned_counts(aggressive, layers)

    def test_stopping_before_the_last_round_prunes_to_the_plan(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        seen: list[Batch] = []

        def sink(event: object) -> None:
            if isinstance(event, Batch):
                seen.append(event)

        stream = finetune(
            Cnn5(), dense, aggressive, tiny, self.RECIPE, stop=lambda: len(seen) > 2 * STEPS
        )
        result = drain(stream, sink)
        assert (result.best, result.stopped) == (None, True)
        assert kept_counts(result.weights, layers) == planned_counts(aggressive, layers)

    def test_a_layer_may_lose_everything(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...]
    ) -> None:
        plan = {**uniform_plan(0.5, [layer.name for layer in layers]), "conv2": 1.0}
        recipe = short("reference", lr=1e-3, method="iterative", rounds=3)
        result = drain(finetune(Cnn5(), dense, plan, tiny, recipe))
        assert kept_counts(result.weights, layers)["conv2"] == 0


@pytest.mark.parametrize("rounds", [1, 2])
def test_rewinding_takes_the_early_values_under_the_masks_of_the_trained_ones(
    rounds: int, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
) -> None:
    method = "one-shot" if rounds == 1 else "iterative"
    recipe = short("reference", method=method, rounds=rounds, rewind=True, lr=1e-12)
    early = {name: tensor.flip(0) for name, tensor in dense.items()}
    model = Cnn5()
    for event in finetune(model, dense, aggressive, tiny, recipe, early=early):
        if isinstance(event, Batch):
            for layer in layers:
                weight = model.get_parameter(layer.key)
                kept = weight != 0
                assert int(kept.sum()) > 0
                assert torch.allclose(weight[kept], early[layer.key][kept], atol=1e-6)
    if rounds == 1:
        masks = Masks.of(dense, layers, aggressive)
        for layer in layers:
            zero = model.get_parameter(layer.key) == 0
            assert torch.equal(zero, masks.pruned[layer.key])


def test_l1_adds_its_constant_to_the_gradient_of_the_prunable_weights(
    tiny: Splits, dense: Weights, layers: tuple[Layer, ...]
) -> None:
    plan = uniform_plan(0.5, [layer.name for layer in layers])

    def after_a_step(l1: float) -> Weights:
        model = Cnn5()
        recipe = short("reference", momentum=0.0, weight_decay=0.0, lr=0.1, l1=l1)
        stream = finetune(model, dense, plan, tiny, recipe)
        next(event for event in stream if isinstance(event, Batch))
        return {name: tensor.clone() for name, tensor in model.state_dict().items()}

    without, pulled = after_a_step(0.0), after_a_step(0.01)
    weights = {layer.key for layer in layers}
    start = Masks.of(dense, layers, plan).apply(dense)
    for name in without:
        expected = without[name] - 0.1 * 0.01 * start[name].sign() * (name in weights)
        assert torch.allclose(pulled[name], expected, atol=1e-7)
