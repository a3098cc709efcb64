"""Fine-tuning: tightening masks, scaled dropout, a base with zeros."""

from __future__ import annotations

import math

import pytest
import torch

from core.data.batches import Splits
from core.errors import WorkError
from core.events import Batch, Epoch, Event, Notice, drain
from core.nets.architectures import Cnn5
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.pruning.masks import Masks
from core.pruning.plans import Plan, uniform_plan
from core.training.dense import train
from core.training.finetuning import finetune
from core.training.recipes import RECIPES
from tests.core.training_loops import STEPS, kept_counts, of_type, planned_counts, recorded, short

pytestmark = pytest.mark.usefixtures("one_thread")


class TestGradualPruning:
    def test_sparsities_follow_the_cubic_at_every_renewal(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        recipe = short("fast", epochs=2, ramp=0.8, renew_every=3)
        ramp = 16
        model = Cnn5()
        kept = []
        elements = sum(layer.elements for layer in layers)
        for event in finetune(model, dense, aggressive, tiny, recipe):
            if isinstance(event, Batch):
                kept.append(kept_counts(model.state_dict(), layers))
                assert event.sparsity == pytest.approx(1 - sum(kept[-1].values()) / elements)
        expected = []
        for step in range(1, 2 * STEPS + 1):
            renewed = ramp if step >= ramp else step - step % 3
            left = (1 - renewed / ramp) ** 3
            plan = {name: final * (1 - left) for name, final in aggressive.items()}
            expected.append(planned_counts(plan, layers))
        assert kept == expected
        assert kept[0] == {layer.name: layer.elements for layer in layers}

    def test_a_pruned_weight_never_grows_back(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...]
    ) -> None:
        recipe = short(
            "fast", optimizer="sgd", momentum=0.9, lr=0.1, schedule="cosine", renew_every=1
        )
        plan = uniform_plan(0.2, [layer.name for layer in layers])
        model = Cnn5()
        zeros = {layer.key: torch.zeros(layer.shape, dtype=torch.bool) for layer in layers}
        for event in finetune(model, dense, plan, tiny, recipe):
            if isinstance(event, Batch):
                now = {key: model.get_parameter(key) == 0 for key in zeros}
                assert all(bool(now[key][zeros[key]].all()) for key in zeros)
                zeros = now
        assert all(int(zero.sum()) > 0 for zero in zeros.values())

    def test_only_an_epoch_at_the_full_plan_can_be_best(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        recipe = short("fast", epochs=3, ramp=0.5, lr=1e-9)
        result = drain(finetune(Cnn5(), dense, aggressive, tiny, recipe))
        first, second, third = result.epochs
        assert [epoch.final for epoch in result.epochs] == [False, True, True]
        assert first.validation > max(second.validation, third.validation)
        assert first.sparsity < second.sparsity == third.sparsity
        assert result.best == (2 if second.validation >= third.validation else 3)
        assert result.accuracy.validation == max(second.validation, third.validation)
        assert kept_counts(result.weights, layers) == planned_counts(aggressive, layers)

    def test_a_final_epoch_at_the_full_plan_has_its_sparsity(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        result = drain(finetune(Cnn5(), dense, aggressive, tiny, short("fast")))
        elements = sum(layer.elements for layer in layers)
        kept = sum(planned_counts(aggressive, layers).values())
        assert result.epochs[-1].sparsity == pytest.approx(1 - kept / elements)


class TestDropout:
    DROPOUTS = {"conv2": "drop2", "conv3": "drop3", "fc1": "drop4"}

    def probabilities(self, model: Cnn5) -> dict[str, float]:
        return {layer: getattr(model, drop).p for layer, drop in self.DROPOUTS.items()}

    def test_dropout_follows_the_weights_left_in_its_layer(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        half = uniform_plan(0.5, [layer.name for layer in layers])
        base = Masks.of(dense, layers, half).apply(dense)
        elements = {layer.name: layer.elements for layer in layers}
        model = Cnn5()
        seen = set()
        recipe = short("fast", renew_every=2)
        for event in finetune(model, base, aggressive, tiny, recipe):
            if isinstance(event, Batch):
                kept = kept_counts(model.state_dict(), layers)
                now = self.probabilities(model)
                seen.add(tuple(now.values()))
                for name in self.DROPOUTS:
                    assert now[name] == pytest.approx(0.5 * math.sqrt(kept[name] / elements[name]))
        assert len(seen) == 4

    def test_the_reference_recipe_keeps_the_dropout_of_the_notebook(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        model = Cnn5()
        drain(finetune(model, dense, aggressive, tiny, short("reference")))
        assert set(self.probabilities(model).values()) == {0.5}


class TestAdoptedBase:
    @pytest.mark.parametrize("name", RECIPES)
    @pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.9])
    def test_zeros_of_the_base_stay_zero_under_any_plan(
        self, name: str, sparsity: float, tiny: Splits, dense: Weights, layers: tuple[Layer, ...]
    ) -> None:
        names = [layer.name for layer in layers]
        floor = Masks.of(dense, layers, uniform_plan(0.5, names))
        base = floor.apply(dense)
        plan = uniform_plan(sparsity, names)
        recipe = short(name, renew_every=2)
        model = Cnn5()
        for event in finetune(model, base, plan, tiny, recipe):
            if isinstance(event, Batch):
                assert floor.revived(model.state_dict()) == 0
            if isinstance(event, Epoch):
                assert event.revived == 0
        asked = uniform_plan(max(sparsity, 0.5), names)
        assert kept_counts(model.state_dict(), layers) == planned_counts(asked, layers)


class TestDiverging:
    @pytest.mark.parametrize("name", RECIPES)
    def test_a_non_finite_loss_ends_training_with_one_warning(
        self, name: str, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        recipe = short(name, epochs=2, lr=1e9)
        events: list[Event] = []
        with pytest.raises(WorkError, match="fine-tuning diverged"):
            drain(finetune(Cnn5(), dense, aggressive, tiny, recipe), events.append)
        (notice,) = of_type(Notice, events)
        assert notice.warning
        assert "not finite" in notice.text
        assert len(of_type(Batch, events)) < STEPS

    def test_logits_that_are_never_finite_are_not_blamed_on_the_recipe(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        model = Cnn5()
        model.fc2.register_forward_hook(lambda _, inputs, logits: logits * math.nan)
        recipe = short("fast")
        for stream in (
            finetune(model, dense, aggressive, tiny, recipe),
            train(model, tiny, recipe.finetune),
        ):
            with pytest.raises(WorkError, match="logits are not finite before any training step"):
                drain(stream)

    def test_divergence_after_a_good_epoch_keeps_that_epoch(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        model = Cnn5()
        stream = finetune(model, dense, aggressive, tiny, short("reference", epochs=3))

        def poison(event: Event) -> None:
            if isinstance(event, Batch) and event.epoch == 2:
                torch.nn.init.constant_(model.fc2.bias, math.nan)

        result = drain(stream, poison)
        assert result.best == 1
        assert result.diverged
        assert not result.stopped
        assert all(tensor.isfinite().all() for tensor in result.weights.values())

    def test_converging_training_gives_no_warning(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        _, events = recorded(finetune(Cnn5(), dense, aggressive, tiny, short("fast")))
        assert of_type(Notice, events) == []
