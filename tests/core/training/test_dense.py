"""Training and measuring: events, results and side effects."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from core.data.batches import Images, Splits
from core.errors import InputError, StoppedError
from core.events import Accuracy, Batch, Epoch, Event, Measured, Portion, Progress, Stream, drain
from core.measure.evaluation import evaluate, measure
from core.nets.architectures import Cnn5, LeNet300
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.progress import Meter
from core.pruning.masks import Masks
from core.pruning.plans import Plan
from core.training.dense import TrainingResult, train
from core.training.finetuning import FineTuningResult, finetune, prune_and_measure
from core.training.recipes import RECIPES, Phase
from tests.core.training_loops import (
    STEPS,
    fresh,
    kept_counts,
    of_type,
    plain_accuracy,
    planned_counts,
    recorded,
    same,
    short,
    stopped_after,
)

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


class TestDenseTraining:
    @pytest.fixture(scope="class")
    def trained(self, few: Splits) -> tuple[TrainingResult, list[Event]]:
        phase = Phase(2, "adadelta", lr=1.0, schedule="step", batch_size=50)
        torch.manual_seed(0)
        return recorded(train(LeNet300(), few, phase))

    def test_training_learns(self, trained: tuple[TrainingResult, list[Event]]) -> None:
        result, events = trained
        batches = of_type(Batch, events)
        first, last = result.epochs
        assert batches[0].loss > 2.0
        assert last.loss < first.loss < batches[0].loss
        assert last.validation > first.validation > 50
        assert result.accuracy.test > 80

    def test_training_keeps_the_best_epoch_on_validation(
        self, trained: tuple[TrainingResult, list[Event]], few: Splits
    ) -> None:
        result, _ = trained
        validations = [epoch.validation for epoch in result.epochs]
        assert result.best == 1 + validations.index(max(validations))
        assert result.accuracy.validation == max(validations)
        accuracy = plain_accuracy(result.weights, few.test, LeNet300)
        assert accuracy == pytest.approx(result.accuracy.test)
        assert not result.stopped
        assert all(tensor.is_contiguous() for tensor in result.weights.values())

    def test_training_ends_with_a_measurement(
        self, trained: tuple[TrainingResult, list[Event]]
    ) -> None:
        result, events = trained
        assert of_type(Measured, events) == [Measured("dense", result.accuracy)]
        assert isinstance(events[-1], Measured)

    def test_a_dense_training_reports_no_sparsity(
        self, trained: tuple[TrainingResult, list[Event]]
    ) -> None:
        result, _ = trained
        assert [(e.sparsity, e.final, e.revived) for e in result.epochs] == [(0.0, True, 0)] * 2

    def test_stopping_in_the_first_epoch_raises(self, tiny: Splits) -> None:
        with pytest.raises(StoppedError, match="nothing to keep"):
            stopped_after(
                2, lambda stop: train(fresh(), tiny, short("reference").finetune, stop=stop)
            )


class TestEvents:
    @pytest.fixture(scope="class")
    def tuned(
        self, tiny: Splits, shipped: Weights, aggressive: Plan
    ) -> tuple[FineTuningResult, list[Event]]:
        recipe = short("fast", epochs=2, batch_size=32)
        return recorded(finetune(Cnn5(), shipped, aggressive, tiny, recipe))

    def test_every_step_is_reported_with_its_counts(
        self, tuned: tuple[FineTuningResult, list[Event]]
    ) -> None:
        batches = of_type(Batch, tuned[1])
        assert [(b.epoch, b.seen) for b in batches] == [
            (epoch, seen) for epoch in (1, 2) for seen in (32, 64, 96, 120)
        ]
        assert {(b.epochs, b.images) for b in batches} == {(2, 120)}
        assert all(0 <= b.accuracy <= 100 and math.isfinite(b.loss) for b in batches)

    def test_an_epoch_is_reported_after_its_batches(
        self, tuned: tuple[FineTuningResult, list[Event]]
    ) -> None:
        result, events = tuned
        reported = [e for e in events if isinstance(e, Batch | Epoch)]
        assert [type(e) for e in reported] == [*[Batch] * 4, Epoch, *[Batch] * 4, Epoch]
        assert tuple(of_type(Epoch, events)) == result.epochs
        assert [epoch.epoch for epoch in result.epochs] == [1, 2]
        for last, epoch in ((reported[3], reported[4]), (reported[8], reported[9])):
            assert isinstance(last, Batch)
            assert isinstance(epoch, Epoch)
            assert last.loss == epoch.loss

    def test_pruned_is_measured_first_and_finetuned_last(
        self, tuned: tuple[FineTuningResult, list[Event]]
    ) -> None:
        result, events = tuned
        measured = [Measured("pruned", result.pruned), Measured("finetuned", result.accuracy)]
        assert of_type(Measured, events) == measured
        kinds = [type(event) for event in events if not isinstance(event, Progress | Portion)]
        assert (kinds[0], kinds[-1]) == (Measured, Measured)

    def test_the_bar_of_a_fine_tuning_rises_to_its_end(
        self, tuned: tuple[FineTuningResult, list[Event]]
    ) -> None:
        meter, shares = Meter(), []
        for now, event in enumerate(tuned[1]):
            meter = meter.after(event, now)
            shares.append(meter.done or 0.0)
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1.0)
        measured = [i for i, e in enumerate(tuned[1]) if isinstance(e, Measured)]
        assert shares[measured[0]] < shares[measured[-1] - 10] < 1.0

    def test_a_plan_measured_before_is_not_measured_again(
        self,
        tuned: tuple[FineTuningResult, list[Event]],
        tiny: Splits,
        shipped: Weights,
        aggressive: Plan,
    ) -> None:
        recipe, known = short("fast", epochs=2, batch_size=32), tuned[0].pruned
        result, events = recorded(finetune(Cnn5(), shipped, aggressive, tiny, recipe, pruned=known))
        assert [event.stage for event in of_type(Measured, events)] == ["finetuned"]
        assert isinstance(events[1], Batch)
        assert result.pruned == known
        assert same(result.weights, tuned[0].weights)

    def test_fine_tuning_revives_no_weight(
        self, tuned: tuple[FineTuningResult, list[Event]]
    ) -> None:
        result, _ = tuned
        assert [epoch.revived for epoch in result.epochs] == [0, 0]
        assert result.revived == result.masks.revived(result.weights) == 0

    def test_progress_reaches_its_total(self, tuned: tuple[FineTuningResult, list[Event]]) -> None:
        for step in {event.step for event in of_type(Progress, tuned[1]) if event.total}:
            last = [event for event in of_type(Progress, tuned[1]) if event.step == step][-1]
            assert (last.done, last.total, last.unit) == (50, 50, "images")


class TestReproducing:
    @pytest.mark.parametrize("name", RECIPES)
    def test_same_seed_same_bits_whatever_the_callers_generator(
        self, name: str, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        results = []
        for callers_seed in (1, 2):
            model = fresh(callers_seed)
            results.append(drain(finetune(model, dense, aggressive, tiny, short(name), seed=3)))
        assert same(results[0].weights, results[1].weights)

    def test_another_seed_gives_other_weights(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        one, other = (
            drain(finetune(Cnn5(), dense, aggressive, tiny, short("fast"), seed=seed)).weights
            for seed in (0, 1)
        )
        assert not same(one, other)

    def test_same_seed_same_dense_net(self, tiny: Splits) -> None:
        phase = short("reference").dense
        one, other = (
            drain(train(fresh(), tiny, replace(phase, batch_size=12, epochs=1), seed=seed)).weights
            for seed in (5, 5)
        )
        assert same(one, other)

    @pytest.mark.parametrize("batches", [0, 2, STEPS])
    def test_the_callers_generator_is_untouched(
        self, batches: int, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        model = fresh(7)
        before = torch.get_rng_state()
        recipe = short("fast")
        stopped_after(
            batches, lambda stop: finetune(model, dense, aggressive, tiny, recipe, stop=stop)
        )
        assert torch.equal(torch.get_rng_state(), before)

    def test_bf16_trains_float32_weights(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        recipe = short("reference")
        fp32, bf16 = (
            drain(finetune(Cnn5(), dense, aggressive, tiny, recipe, precision=precision))
            for precision in ("fp32", "bf16")
        )
        assert (fp32.precision, bf16.precision) == ("fp32", "bf16")
        assert {tensor.dtype for tensor in bf16.weights.values()} == {torch.float32}
        assert not same(fp32.weights, bf16.weights)
        assert bf16.revived == 0


class TestStopping:
    @pytest.mark.parametrize("batches", [0, 3, 7])
    @pytest.mark.parametrize("name", RECIPES)
    def test_stopping_before_a_final_epoch_prunes_to_the_plan(
        self,
        name: str,
        batches: int,
        tiny: Splits,
        dense: Weights,
        layers: tuple[Layer, ...],
        aggressive: Plan,
    ) -> None:
        result, events = stopped_after(
            batches, lambda stop: finetune(Cnn5(), dense, aggressive, tiny, short(name), stop=stop)
        )
        assert len(of_type(Batch, events)) == batches
        assert (result.stopped, result.best, result.epochs) == (True, None, ())
        assert kept_counts(result.weights, layers) == planned_counts(aggressive, layers)
        assert {la.name: result.masks.kept(la) for la in layers} == planned_counts(
            aggressive, layers
        )
        assert result.revived == 0
        assert events[-1] == Measured("finetuned", result.accuracy)
        assert plain_accuracy(result.weights, tiny.test) == pytest.approx(result.accuracy.test)

    def test_stopping_after_a_final_epoch_keeps_that_epoch(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        first = drain(finetune(Cnn5(), dense, aggressive, tiny, short("reference")))
        recipe = short("reference", epochs=3)
        result, events = stopped_after(
            STEPS + 2, lambda stop: finetune(Cnn5(), dense, aggressive, tiny, recipe, stop=stop)
        )
        assert len(of_type(Batch, events)) == STEPS + 2
        assert (result.stopped, result.best, len(result.epochs)) == (True, 1, 1)
        assert result.accuracy.validation == result.epochs[0].validation
        assert same(result.weights, first.weights)

    def test_stopping_between_a_gradual_and_a_final_epoch_prunes_to_the_plan(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        recipe = short("fast", epochs=2, ramp=0.75)
        result, _ = stopped_after(
            STEPS + 1, lambda stop: finetune(Cnn5(), dense, aggressive, tiny, recipe, stop=stop)
        )
        assert [epoch.final for epoch in result.epochs] == [False]
        assert (result.stopped, result.best) == (True, None)
        assert kept_counts(result.weights, layers) == planned_counts(aggressive, layers)

    def test_a_closed_stream_does_not_affect_the_next_one(
        self, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        def start(model: nn.Module) -> Stream[FineTuningResult]:
            return finetune(model, dense, aggressive, tiny, short("fast"))

        expected = drain(start(Cnn5())).weights
        before = torch.get_rng_state()
        model = fresh(1)
        torch.set_rng_state(before)
        stream = start(model)
        while not isinstance(next(stream), Batch):
            pass
        next(stream)
        stream.close()
        assert torch.equal(torch.get_rng_state(), before)
        assert next(stream, None) is None
        assert same(drain(start(Cnn5())).weights, expected)


class TestMeasuring:
    def test_counts_equal_a_plain_loop(self, few: Splits, dense: Weights) -> None:
        model = Cnn5()
        model.load_state_dict(dense)
        data = Images(few.test.images[:333], few.test.labels[:333], few.test.mean, few.test.std)
        accuracy, events = recorded(evaluate(model, data))
        assert accuracy == pytest.approx(plain_accuracy(dense, data))
        assert events[-1] == Progress("measuring", 333, 333, "images")

    def test_a_model_in_training_is_measured_without_dropout(
        self, tiny: Splits, dense: Weights
    ) -> None:
        model = Cnn5()
        model.load_state_dict(dense)
        calm = drain(evaluate(model, tiny.test))
        assert drain(evaluate(model.train(), tiny.test)) == calm

    def test_a_shared_split_is_measured_once(self, tiny: Splits, dense: Weights) -> None:
        model = Cnn5()
        model.load_state_dict(dense)
        twice = Splits(tiny.train, tiny.validation, tiny.test)
        once = Splits(tiny.train, tiny.test, tiny.test)
        accuracy, events = recorded(measure(model, once, "dense"))
        assert accuracy == Accuracy(*[drain(evaluate(model, tiny.test))] * 2)
        assert len({event.step for event in of_type(Progress, events)}) == 1
        _, events = recorded(measure(model, twice, "dense"))
        assert len({event.step for event in of_type(Progress, events)}) == 2

    def test_one_shot_pruning_is_the_plan_applied_and_measured(
        self, tiny: Splits, dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
    ) -> None:
        model, pruned = Cnn5(), Masks.of(dense, layers, aggressive).apply(dense)
        accuracy, events = recorded(prune_and_measure(model, dense, aggressive, tiny))
        assert events[-1] == Measured("pruned", accuracy)
        assert same(dict(model.state_dict()), pruned)
        assert plain_accuracy(pruned, tiny.test) == pytest.approx(accuracy.test)

    def test_a_stopped_measurement_raises(
        self, few: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        events: list[Event] = []
        stream = prune_and_measure(
            Cnn5(), dense, aggressive, few, lambda: bool(of_type(Progress, events))
        )
        with pytest.raises(StoppedError):
            drain(stream, events.append)
        assert of_type(Measured, events) == []
        assert {event.step for event in of_type(Progress, events)} == {
            "measuring the pruned net on validation"
        }

    @pytest.mark.parametrize("bad", [float("nan"), 1.2, -0.1])
    def test_a_bad_plan_is_refused(
        self, bad: float, tiny: Splits, dense: Weights, aggressive: Plan
    ) -> None:
        with pytest.raises(InputError, match=f"sparsity {bad} of fc1"):
            drain(prune_and_measure(Cnn5(), dense, {**aggressive, "fc1": bad}, tiny))
