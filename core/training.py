"""Train, prune and measure, fine-tune: the long operations, as streams of events."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from core.batches import Images, Splits
from core.dropout import use_byte_dropout
from core.errors import StoppedError, WorkError
from core.evaluation import evaluate, measure
from core.events import (
    Accuracy,
    Batch,
    Epoch,
    Notice,
    StopFlag,
    Stream,
    never,
)
from core.gradual import Pruner
from core.layers import prunable_layers
from core.precision import autocast
from core.pruning import Masks
from core.recipes import Phase, Recipe
from core.weights import Weights


@dataclass(frozen=True, eq=False)
class Trained:
    """What dense training made: the best epoch's weights on validation.

    Attributes:
        best: the epoch they are from.
        stopped: its stop flag ended it early.
        diverged: a loss that is not finite ended it early.
    """

    weights: Weights
    accuracy: Accuracy
    epochs: tuple[Epoch, ...]
    best: int
    precision: str
    stopped: bool
    diverged: bool


@dataclass(frozen=True, eq=False)
class Pruned:
    """A plan applied to a base in one shot, not trained."""

    weights: Weights
    masks: Masks
    accuracy: Accuracy


@dataclass(frozen=True, eq=False)
class FineTuned:
    """What fine-tuning made of a base and a plan: the best epoch that ended at the full plan.

    Attributes:
        masks: the masks in force in `weights`.
        pruned: accuracy of the plan in one shot, before any training.
        best: the epoch the weights are from; None where it was stopped before any epoch ended at
            the full plan: then what there was has been pruned the rest of the way and measured.
        revived: weights outside the masks that are not exactly zero; always 0.
        stopped: its stop flag ended it early.
        diverged: a loss that is not finite ended it early.
    """

    weights: Weights
    masks: Masks
    pruned: Accuracy
    accuracy: Accuracy
    epochs: tuple[Epoch, ...]
    best: int | None
    revived: int
    precision: str
    stopped: bool
    diverged: bool


def prune_and_measure(
    model: nn.Module,
    base: Weights,
    plan: Mapping[str, float],
    data: Splits,
    stop: StopFlag = never,
    precision: str = "fp32",
) -> Stream[Pruned]:
    """Apply `plan` to `base` in one shot and measure what is left; `model` ends up holding it.

    Raises:
        StoppedError: `stop` was raised.
    """
    masks = Masks.of(base, prunable_layers(model), plan)
    weights = masks.apply(base)
    model.load_state_dict(weights)
    accuracy = yield from measure(model, data, "pruned", stop, precision)
    return Pruned(weights, masks, accuracy)


def train(
    model: nn.Module,
    data: Splits,
    phase: Phase,
    *,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[Trained]:
    """Train `model` from its own initial weights; the best epoch on validation is the result.

    When `stop` is raised it ends within one batch and keeps the best epoch so far; a loss that is
    not finite ends it likewise.

    Raises:
        StoppedError: it was stopped before the first epoch ended.
        WorkError: the loss diverged before the first epoch ended.
    """
    trainer = _Trainer(model, data.train, phase, seed, precision)
    epochs: list[Epoch] = []
    best = _Best()
    while trainer.epoch < phase.epochs:
        loss = yield from trainer.run_epoch(stop)
        if loss is None:
            break
        validation = yield from evaluate(model, data.validation, "validate", precision=precision)
        epochs.append(Epoch(trainer.epoch, loss, validation, trainer.epoch_seconds, 0.0, True, 0))
        yield epochs[-1]
        best.offer(trainer.epoch, validation, model)
    if best.epoch is None:
        if trainer.stopped:
            raise StoppedError("stopped before the first epoch ended: there is nothing to keep")
        raise WorkError("training diverged in its first epoch: try another recipe or seed")
    weights = best.restore(model)
    accuracy = yield from measure(model, data, "dense", precision=precision)
    return Trained(
        weights=weights,
        accuracy=accuracy,
        epochs=tuple(epochs),
        best=best.epoch,
        precision=precision,
        stopped=trainer.stopped,
        diverged=trainer.diverged,
    )


def finetune(
    model: nn.Module,
    base: Weights,
    plan: Mapping[str, float],
    data: Splits,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[FineTuned]:
    """Fine-tune `base` towards `plan` as `recipe` says.

    It begins by measuring the plan in one shot, and it can be stopped within one batch, see
    `FineTuned.best`; a loss that is not finite ends it likewise. `model` is only the vehicle: its
    weights on entry do not matter, and its dropouts end up as the recipe set them.

    Raises:
        WorkError: the loss diverged before any epoch ended at the full plan.
    """
    pruned = yield from prune_and_measure(model, base, plan, data, precision=precision)
    if recipe.gradual:
        model.load_state_dict(base)
    trainer = _Trainer(model, data.train, recipe.finetune, seed, precision)
    pruner = Pruner(model, plan, recipe, pruned.masks, len(data.train))
    epochs: list[Epoch] = []
    best = _Best()
    while trainer.epoch < recipe.finetune.epochs:
        loss = yield from trainer.run_epoch(stop, after_step=pruner.after_step)
        if loss is None:
            break
        validation = yield from evaluate(model, data.validation, "validate", precision=precision)
        epochs.append(
            Epoch(
                trainer.epoch,
                loss,
                validation,
                trainer.epoch_seconds,
                pruner.sparsity(),
                pruner.finished,
                pruner.masks.revived(model.state_dict()),
            )
        )
        yield epochs[-1]
        if pruner.finished:
            best.offer(trainer.epoch, validation, model, pruner.masks)
    if best.epoch is None:
        pruner.finish()
    weights = best.restore(model)
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        raise WorkError("fine-tuning diverged before any epoch was good: try another recipe")
    masks = (best.masks or pruner.masks).to("cpu")
    accuracy = yield from measure(model, data, "finetuned", precision=precision)
    return FineTuned(
        weights=weights,
        masks=masks,
        pruned=pruned.accuracy,
        accuracy=accuracy,
        epochs=tuple(epochs),
        best=best.epoch,
        revived=masks.revived(weights),
        precision=precision,
        stopped=trainer.stopped,
        diverged=trainer.diverged,
    )


class _Trainer:
    """The loop over epochs and batches: data in memory, one step after the other."""

    def __init__(
        self, model: nn.Module, data: Images, phase: Phase, seed: int, precision: str
    ) -> None:
        self._random = torch.Generator(data.device).manual_seed(seed)
        use_byte_dropout(model, self._random)
        self.model = model.to(memory_format=torch.channels_last)
        self.data = data
        self.phase = phase
        self.precision = precision
        self.epoch = 0
        self.seconds = 0.0
        self.epoch_seconds = 0.0
        self.stopped = False
        self.diverged = False
        self.optimizer = _optimizer(model, phase)
        self.scheduler = _scheduler(self.optimizer, phase, phase.steps_in_epoch(len(data)))
        self._order = torch.Generator().manual_seed(seed)
        self._torch_state = self._order.get_state()

    def run_epoch(
        self, stop: StopFlag, after_step: Callable[[Optimizer], object] = lambda _: None
    ) -> Stream[float | None]:
        """One epoch; gives its mean loss, or None where `stop` or a diverging loss ended it."""
        order = torch.randperm(len(self.data), generator=self._order)
        self.epoch_seconds, seen, total = 0.0, 0, 0.0
        for index in torch.split(order, self.phase.batch_size):
            if stop():
                self.stopped = True
                return None
            start = perf_counter()
            loss, correct = self._step(*self.data.batch(index))
            after_step(self.optimizer)
            self.epoch_seconds += perf_counter() - start
            seen += len(index)
            total += loss * len(index)
            if not math.isfinite(loss):
                self.diverged = True
                yield Notice("the loss is not finite: training has diverged", warning=True)
                return None
            yield Batch(
                epoch=self.epoch + 1,
                epochs=self.phase.epochs,
                seen=seen,
                images=len(self.data),
                loss=total / seen,
                accuracy=100.0 * correct / len(index),
                seconds=self.seconds + self.epoch_seconds,
            )
        if self.phase.schedule != "onecycle":
            self.scheduler.step()
        self.seconds += self.epoch_seconds
        self.epoch += 1
        return total / seen

    @contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """What a net draws from torch's own generator comes from the seed and disturbs nobody."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._torch_state)
            yield
            self._torch_state = torch.get_rng_state()

    def _step(self, images: Tensor, labels: Tensor) -> tuple[float, int]:
        """One optimiser step; gives the batch's mean loss and how many it had right before it."""
        self.model.train()
        with self._own_randomness(), autocast(images.device, self.precision):
            logits = self.model(images)
        loss = F.cross_entropy(logits.float(), labels)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if self.phase.schedule == "onecycle":
            self.scheduler.step()
        return loss.item(), int((logits.argmax(1) == labels).sum())


class _Best:
    """The weights of the best epoch so far."""

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.masks: Masks | None = None
        self._validation = -math.inf
        self._weights: Weights = {}

    def offer(
        self, epoch: int, validation: float, model: nn.Module, masks: Masks | None = None
    ) -> None:
        """Keep the model's weights if no epoch before was as good."""
        if validation > self._validation:
            self.epoch, self._validation, self.masks = epoch, validation, masks
            self._weights = _copy(model)

    def restore(self, model: nn.Module) -> Weights:
        """Put the best weights back into `model`, where there are any; give what it holds."""
        if self.epoch is not None:
            model.load_state_dict(self._weights)
        return _copy(model)


def _copy(model: nn.Module) -> Weights:
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }


def _optimizer(model: nn.Module, phase: Phase) -> Optimizer:
    parameters, decay = model.parameters(), phase.weight_decay
    match phase.optimizer:
        case "adadelta":
            return Adadelta(parameters, lr=phase.lr, weight_decay=decay)
        case "adamw":
            return AdamW(parameters, lr=phase.lr, weight_decay=decay, fused=True)
        case "sgd":
            lr, momentum = phase.lr, phase.momentum
            return SGD(parameters, lr=lr, momentum=momentum, weight_decay=decay, fused=True)


def _scheduler(optimizer: Optimizer, phase: Phase, steps: int) -> LRScheduler:
    match phase.schedule:
        case "step":
            return StepLR(optimizer, step_size=1, gamma=0.7)
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=phase.epochs)
        case "onecycle":
            return OneCycleLR(optimizer, max_lr=phase.lr, total_steps=phase.epochs * steps)
