"""One-shot pruning and fine-tuning as streams of events."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from core.criteria.criterion import Criterion
from core.criteria.magnitude import Magnitude
from core.criteria.ranking import Ranking, rank, renewed
from core.data.batches import Splits
from core.errors import InputError, StoppedError
from core.events import Accuracy, Epoch, Portion, StopFlag, Stream, drain, never, portions, within
from core.graph.dead_units import count_dead_units
from core.measure.evaluation import evaluate, images_to_measure, measure
from core.measure.recalibration import prune_into, recalibrate, recalibration_of
from core.nets.calls import NetError
from core.nets.footprint import DeadUnits, Sizes
from core.nets.layers import dropouts, prunable_layers
from core.nets.weights import Weights, copy_weights, damaged, load_into, state_dict
from core.pruning.masks import Masks, sparsity_of
from core.reconstruction.measured_net import ReconstructedNet
from core.training.checkpoints import Checkpoint
from core.training.gradual import Pruner
from core.training.loop import STEP_COST, BestEpoch, Trainer
from core.training.losses import Teacher
from core.training.recipes import Recipe


@dataclass(frozen=True, eq=False)
class PruningResult:
    """A plan applied to a base without training.

    Attributes:
        weights: of the net: reconstructed or, failing that, pruned in one shot.
        accuracy: of the plan in one shot.
        dead: dead units in `weights`; None if not counted.
        run: the run that records it; None if unrecorded.
    """

    weights: Weights = field(repr=False)
    accuracy: Accuracy
    dead: DeadUnits | None
    precision: str
    reconstructed: ReconstructedNet | None = None
    sizes: Sizes | None = None
    run: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether reconstruction was stopped early."""
        return self.reconstructed is not None and self.reconstructed.stopped


@dataclass(frozen=True, eq=False)
class FineTuningResult:
    """The result of fine-tuning: the best epoch that ended at the full plan.

    Attributes:
        masks: the masks in force in `weights`.
        pruned: accuracy of the plan in one shot, before any training.
        best: the epoch of the weights; None if fine-tuning was stopped before any epoch ended at
            the full plan: then the current weights were pruned to the plan in one shot.
        revived: weights outside the masks that are not exactly zero; always 0.
        dead: dead units in `weights`; None if the net cannot be traced.
        run: the run that records it; None if unrecorded.
        diverged: whether a non-finite loss ended fine-tuning early.
        error: what the net's own code raised, if that ended fine-tuning early; else empty.
        reconstructed: the net it started from; None if that was the base.
    """

    weights: Weights = field(repr=False)
    masks: Masks = field(repr=False)
    pruned: Accuracy
    accuracy: Accuracy
    epochs: tuple[Epoch, ...]
    best: int | None
    revived: int
    dead: DeadUnits | None
    recipe: Recipe
    precision: str
    stopped: bool
    diverged: bool
    run: str | None = None
    sizes: Sizes | None = None
    error: str = ""
    reconstructed: ReconstructedNet | None = None


def prune_and_measure(
    model: nn.Module,
    base: Weights,
    plan: Mapping[str, float],
    data: Splits,
    stop: StopFlag = never,
    precision: str = "fp32",
    recalibrates: bool = True,
    ranked: Weights | None = None,
) -> Stream[Accuracy]:
    """Apply `plan` to `base` in one shot and measure the result; `model` ends up holding it.

    `ranked` decides which weights go, see `core.criteria.ranking`; by default, `base` itself does.
    Its running statistics are computed anew if `recalibrates`, see `core.measure.recalibration`.
    """
    pruning = prune_into(
        model, base, plan, data.train, ranked=ranked, recalibrates=recalibrates, stop=stop
    )
    measuring = measure(model, data, "pruned", stop, precision)
    sample = recalibration_of(model, data.train) if recalibrates else None
    if sample is None:
        yield from pruning
        return (yield from measuring)
    first, second = portions(sample.images, images_to_measure(data))
    yield from within(first, pruning)
    return (yield from within(second, measuring))


def finetune(
    model: nn.Module,
    base: Weights,
    plan: Mapping[str, float],
    data: Splits,
    recipe: Recipe,
    *,
    early: Weights | None = None,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
    checkpoints: bool = False,
    resume: Mapping[str, Any] | None = None,
    remake: Callable[[], nn.Module] | None = None,
    pruned: Accuracy | None = None,
    recalibrates: bool = True,
    ranking: Ranking | None = None,
    reconstructed: ReconstructedNet | None = None,
    teacher: Teacher | None = None,
) -> Stream[FineTuningResult]:
    """Fine-tune `base` toward `plan` as `recipe` says.

    `ranking` of the base decides which weights go, and its criterion which of the current ones
    whenever masks tighten; by default, magnitude does.

    From a net that is `reconstructed` from this base and plan, training starts with its weights
    and holds its masks; the recipe's method must then be one-shot, since the full plan is in force
    from the first step. Rewinding still resets the kept weights to early ones.

    The plan is measured in one shot first, unless `pruned` is its accuracy. A raised stop flag or a
    non-finite loss ends training within one batch, see `FineTuningResult.best`. Weights pruned in
    one shot are recalibrated before they are measured, if `recalibrates`; training starts from the
    statistics of `base`, which it renews itself.

    The initial weights of `model` do not matter, and its dropouts end up as the recipe sets them.
    `early` are weights from early in the dense training of `base`, for a recipe that rewinds.
    `checkpoints`, `resume` and `remake` are those of `core.training.dense.train`. A `teacher` has
    outputs to learn in all rounds, see `core.training.losses`.

    Raises:
        InputError: the recipe rewinds but there are no early weights, or has no epochs.
        WorkError: the loss diverged, or the net's own code raised, before any epoch ended at the
            full plan.
    """
    _check_recipe(recipe, early)
    opening, training, closing = _portions(data, recipe, measures_first=pruned is None)
    ranking = ranking or Ranking(Magnitude(), base)
    one_shot = prune_and_measure(
        model,
        base,
        plan,
        data,
        precision=precision,
        recalibrates=recalibrates,
        ranked=ranking.weights,
    )
    pruned = pruned or (yield from within(opening, one_shot))
    yield training
    start = None if reconstructed is None else reconstructed.weights
    rounds = _Rounds(
        model, base, plan, data, recipe, early, seed, precision, ranking, stop, start, teacher
    )
    if resume is not None:
        rounds.resume(resume)
    failure = ""
    while not rounds.finished:
        try:
            epoch = yield from rounds.run_epoch()
        except NetError as error:
            if rounds.best.epoch is None:
                raise
            failure = str(error)
            break
        if epoch is None:
            break
        yield epoch
        if checkpoints:
            yield Checkpoint.of(rounds.state())
    masks, weights = yield from rounds.outcome(recalibrates)
    if damaged(weights, model, base):
        text = "fine-tuning diverged before any epoch ended at the full plan: try another recipe"
        raise rounds.trainer.divergence(text)
    if failure and remake is not None:
        model = remake()
        load_into(model, weights)
    yield closing
    dead = yield from count_dead_units(model, data.validation)
    load_into(model, weights)
    accuracy = yield from within(closing, measure(model, data, "finetuned", precision=precision))
    return FineTuningResult(
        weights=weights,
        masks=masks,
        pruned=pruned,
        accuracy=accuracy,
        epochs=tuple(rounds.epochs),
        best=rounds.best.epoch,
        revived=masks.revived(weights),
        dead=dead,
        recipe=recipe,
        precision=precision,
        stopped=rounds.trainer.stopped or bool(failure),
        diverged=rounds.trainer.diverged,
        error=failure,
        reconstructed=reconstructed,
    )


def _check_recipe(recipe: Recipe, early: Weights | None) -> None:
    if not recipe.epochs:
        raise InputError("0 epochs: fine-tuning expects at least 1")
    if recipe.rewind and early is None:
        raise InputError(
            "this net has no early weights to rewind to: train one with featherweight train, "
            "which stores them next to the net's file, or fine-tune without rewinding"
        )


def _portions(data: Splits, recipe: Recipe, measures_first: bool) -> tuple[Portion, ...]:
    """Measuring the plan in one shot, training, and measuring the result."""
    measuring, steps = images_to_measure(data), recipe.epochs * len(data.train)
    return portions(measuring * measures_first, STEP_COST * steps, measuring)


@dataclass
class _Rounds:
    """The rounds of a fine-tuning; each has a plan and epochs of training.

    Attributes:
        reconstructed: the weights to start from, and whose zeros are the masks, if not the base.
        trainer, pruner: of the current round.
        ranking: of the weights it began with.
        best: of the epochs that ended at the full plan.
    """

    model: nn.Module
    base: Weights
    plan: Mapping[str, float]
    data: Splits
    recipe: Recipe
    early: Weights | None
    seed: int
    precision: str
    ranking: Ranking
    stop: StopFlag
    reconstructed: Weights | None = None
    teacher: Teacher | None = None

    def __post_init__(self) -> None:
        self.layers = prunable_layers(self.model)
        self.dropout = {name: drop.p for name, drop in dropouts(self.model).items()}
        self.start = {layer.name: sparsity_of(self.base[layer.key]) for layer in self.layers}
        self.epochs: list[Epoch] = []
        self.best = BestEpoch()
        self.round = 1
        self._begin_round(self.base if self.reconstructed is None else self.reconstructed)

    @property
    def finished(self) -> bool:
        """Whether the last round is over."""
        return self.round == self.recipe.rounds and self.trainer.finished

    def run_epoch(self) -> Stream[Epoch | None]:
        """Train and validate one epoch; None if it ended early."""
        if self.trainer.finished:
            try:
                self.ranking = yield from self._rank(renewed(self.ranking.criterion), self.stop)
            except StoppedError:
                self.trainer.stopped = True
                return None
            self.round += 1
            self._begin_round(copy_weights(self.model), self.trainer.seconds)
        pruner = self.pruner
        loss = yield from self.trainer.run_epoch(self.stop, pruner.after_step, pruner.sparsity)
        if loss is None:
            return None
        validation = yield from evaluate(
            self.model, self.data.validation, "validating", precision=self.precision
        )
        final = self.round == self.recipe.rounds and self.pruner.finished
        number = self.trainer.epochs_before + self.trainer.epoch
        seconds, sparsity = self.trainer.epoch_seconds, self.pruner.sparsity()
        revived = self.pruner.masks.revived(state_dict(self.model))
        images = len(self.data.validation)
        epoch = Epoch(number, loss, validation, seconds, sparsity, final, revived, images)
        self.epochs.append(epoch)
        if final:
            self.best.offer(number, validation, self.model, self.pruner.masks)
        return epoch

    def outcome(self, recalibrates: bool) -> Stream[tuple[Masks, Weights]]:
        """The masks and weights of the best epoch, else the current ones pruned to the plan."""
        if self.best.epoch is None:
            ranking = yield from self._rank(self.ranking.criterion)
            self.pruner.finish(self.plan, ranking.weights)
            if recalibrates:
                yield from recalibrate(self.model, self.data.train)
        weights = self.best.restore(self.model)
        return (self.best.masks or self.pruner.masks).to("cpu"), weights

    def state(self) -> dict[str, Any]:
        """Everything the next epoch depends on."""
        return {
            "round": self.round,
            "trainer": self.trainer.state(),
            "pruner": self.pruner.state(),
            "best": self.best.state(),
            "epochs": [asdict(epoch) for epoch in self.epochs],
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.round = state["round"]
        self._begin_round(self.base)
        self.trainer.resume(state["trainer"])
        self.pruner.resume(state["pruner"])
        self.best.resume(state["best"])
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]

    def _begin_round(self, weights: Weights, seconds: float = 0.0) -> None:
        """Prune `weights` to the plan of the current round and set up its training."""
        recipe, plan = self.recipe, self._round_plan()
        if self.reconstructed is None:
            masks = Masks.of(self.ranking.weights, self.layers, plan)
        else:
            masks = Masks.of(weights, self.layers, dict.fromkeys(plan, 0.0))
        start = self.early if recipe.rewind and self.early else weights
        load_into(self.model, start if recipe.gradual else masks.apply(start))
        data, phase, ended = self.data.train, recipe.finetune, self.round - 1
        seed, before = self.seed + ended, ended * phase.epochs
        self.trainer = Trainer(
            self.model, data, phase, seed, self.precision, before, recipe.epochs, self.teacher
        )
        self.trainer.seconds = seconds
        steps = self.trainer.steps_in_epoch
        self.pruner = Pruner(
            self.model, plan, recipe, masks, steps, self.dropout, self._ranked_weights
        )

    def _ranked_weights(self) -> Weights:
        """The model's current weights, ranked by the criterion of the round."""
        return drain(self._rank(self.ranking.criterion, self.stop)).weights

    def _rank(self, criterion: Criterion, stop: StopFlag = never) -> Stream[Ranking]:
        return rank(self.model, criterion, self.data.train, seed=self.seed, stop=stop)

    def _round_plan(self) -> Mapping[str, float]:
        """The plan of the current round: each round drops the same share of what is left."""
        if self.round == self.recipe.rounds:
            return self.plan
        part = self.round / self.recipe.rounds
        return {
            name: _intermediate_sparsity(self.start[name], final, part)
            for name, final in self.plan.items()
        }


def _intermediate_sparsity(start: float, final: float, part: float) -> float:
    """The sparsity after `part` of the rounds; with nothing left at the end, in equal steps."""
    if final >= 1.0 or start >= 1.0:
        return start + (final - start) * part
    return 1.0 - (1.0 - start) * math.pow((1.0 - final) / (1.0 - start), part)
