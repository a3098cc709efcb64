"""The training loop: epochs, batches, steps, and the best epoch so far."""

import math
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.data.batches import Images
from core.errors import ENDING, InputError, WorkError
from core.events import Batch, Notice, StopFlag, Stream
from core.nets.calls import TRAINING, NetCall, NetError, forward_place
from core.nets.layers import prunable_layers
from core.nets.model_copy import copy_model
from core.nets.trial import random_kept
from core.nets.weights import Weights, copy_weights, load_into, state_dict
from core.pruning.masks import Masks
from core.system.precision import autocast
from core.training.augmentation import Augmenter
from core.training.byte_dropout import use_byte_dropout
from core.training.losses import Teacher, mean_loss
from core.training.optimizers import build_optimizer, match_memory_format
from core.training.recipes import Phase
from core.training.schedules import PER_STEP, build_scheduler

STEP_COST = 3.0
"""How many times as long training on an image takes as measuring it, roughly."""


@dataclass(eq=False)
class Trainer:
    """The loop over epochs and batches of one phase, with the data in memory.

    Args:
        model: the net, on the device of `data`.
        seed: seed of the order of the images and of the net's random draws.
        epochs_before: epochs of earlier phases of the same training.
        epochs: epochs of the whole training; 0 if it is this phase alone.
        teacher: has outputs to learn beside the labels; None to learn the labels alone.

    Attributes:
        epoch: completed epochs of this phase.
        seconds: training time of its epochs, measurements excluded.
        epoch_seconds: the same for the last epoch.
        steps_in_epoch: optimizer steps per epoch. A last batch of one image that the net cannot
            train on, as with BatchNorm1d, joins the batch before it.
        stopped: whether a stop flag ended it early.
        diverged: whether a non-finite loss ended it early.
    """

    model: nn.Module
    data: Images
    phase: Phase
    seed: InitVar[int]
    precision: str
    epochs_before: int = 0
    epochs: int = 0
    teacher: Teacher | None = None

    def __post_init__(self, seed: int) -> None:
        images, size = len(self.data), self.phase.batch_size
        leaves_one = images > size > 1 and images % size == 1
        self._join_last = leaves_one and _needs_two(self.model, self.data)
        self.steps_in_epoch = self.phase.steps_in_epoch(images) - self._join_last
        self._random = torch.Generator(self.data.device).manual_seed(seed)
        use_byte_dropout(self.model, self._random)
        self.model.to(memory_format=self.data.layout)
        self.epochs = self.epochs or self.phase.epochs
        self.epoch = 0
        self.seconds = self.epoch_seconds = 0.0
        self.stopped = self.diverged = self._diverged_at_once = False
        self.optimizer = build_optimizer(self.model, self.phase)
        self.scheduler = build_scheduler(self.optimizer, self.phase, self.steps_in_epoch)
        self._order = torch.Generator().manual_seed(seed)
        self._torch_state = self._order.get_state()
        self._seed = seed
        layers = prunable_layers(self.model) if self.phase.l1 else ()
        self._penalized = [self.model.get_parameter(layer.key) for layer in layers]

    @property
    def finished(self) -> bool:
        """Whether all epochs have ended."""
        return self.epoch >= self.phase.epochs

    def run_epoch(
        self,
        stop: StopFlag,
        after_step: Callable[[Optimizer], object] = lambda _: None,
        sparsity: Callable[[], float] = lambda: 0.0,
    ) -> Stream[float | None]:
        """Train one epoch; returns its mean loss, or None if a stop or divergence ended it.

        `after_step` may prune; `sparsity` says how much is pruned now.

        Raises NetError if the net's own code raises.
        """
        order = torch.randperm(len(self.data), generator=self._order)
        self.epoch_seconds, seen, total = 0.0, 0, 0.0
        chosen = self.phase.augment
        augment = Augmenter(chosen, self._seed, self.epoch) if chosen else None
        for index in self._batches(order):
            if stop():
                self.stopped = True
                return None
            start, rate = perf_counter(), float(self.optimizer.param_groups[0]["lr"])
            loss, correct = self._step(*self.data.batch(index, augment))
            after_step(self.optimizer)
            self.epoch_seconds += perf_counter() - start
            seen += len(index)
            total += loss * len(index)
            if not math.isfinite(loss):
                self.diverged = True
                earlier = self.epochs_before + self.epoch
                self._diverged_at_once = not earlier and seen == len(index)
                yield Notice("the loss is not finite: training has diverged", warning=True)
                return None
            yield Batch(
                epoch=self.epochs_before + self.epoch + 1,
                epochs=self.epochs,
                seen=seen,
                images=len(self.data),
                loss=total / seen,
                accuracy=100.0 * correct / len(index),
                seconds=self.seconds + self.epoch_seconds,
                rate=rate,
                sparsity=sparsity(),
            )
        if self.phase.schedule not in PER_STEP:
            self.scheduler.step()
        self.seconds += self.epoch_seconds
        self.epoch += 1
        return total / seen

    def divergence(self, text: str) -> WorkError:
        """The error if divergence left no epoch: `text`, unless no recipe could help."""
        at_once = "the net's logits are not finite before any training step: mend its code"
        return WorkError(at_once if self._diverged_at_once else text)

    def state(self) -> dict[str, Any]:
        """Everything the next epoch depends on, between two epochs; `Checkpoint.of` copies it."""
        return {
            "model": state_dict(self.model),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": [self._order.get_state(), self._random.get_state(), self._torch_state],
            "epoch": self.epoch,
            "seconds": self.seconds,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        load_into(self.model, state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        match_memory_format(self.optimizer)
        self.scheduler.load_state_dict(state["scheduler"])
        order, random, self._torch_state = state["random"]
        self._order.set_state(order)
        self._random.set_state(random)
        self.epoch = state["epoch"]
        self.seconds = state["seconds"]

    def _batches(self, order: Tensor) -> list[Tensor]:
        """The images in `order`, batch by batch."""
        batches = list(torch.split(order, self.phase.batch_size))
        if self._join_last:
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def _step(self, images: Tensor, labels: Tensor) -> tuple[float, int]:
        """Do one optimizer step; returns the batch's loss and correct predictions before it."""
        with NetCall("train()", images):
            self.model.train()
        # The net draws from torch's global generator, from a state of its own; the caller's stays.
        with (
            NetCall(TRAINING, images),
            torch.random.fork_rng(devices=[]),
            autocast(images.device, self.precision),
        ):
            torch.set_rng_state(self._torch_state)
            taught = self.teacher.logits(images) if self.teacher else None
            logits = self.model(images)
            self._torch_state = torch.get_rng_state()
        if not logits.requires_grad:
            raise NetError(
                f"the logits have no gradient: forward(){forward_place(self.model)} runs under "
                "torch.no_grad(), detaches them, or uses no parameter that requires one; remove "
                "that to train the net"
            )
        loss = mean_loss(self.phase, logits, labels)
        if self.teacher and taught is not None:
            loss = self.teacher.mixed(loss, logits, taught)
        self.optimizer.zero_grad()
        with NetCall("backward()", images):
            loss.backward()
        for weight in self._penalized:
            if weight.grad is not None:
                weight.grad.add_(weight.detach().sign(), alpha=self.phase.l1)
        with NetCall("the optimizer's step", images):
            self.optimizer.step()
        if self.phase.schedule in PER_STEP:
            self.scheduler.step()
        return loss.item(), int((logits.argmax(1) == labels).sum())


def _needs_two(model: nn.Module, data: Images) -> bool:
    """Whether a copy of the model, in training mode, raises on a single image of `data`."""
    with random_kept(data.device), torch.no_grad():
        try:
            copy = copy_model(model).model
            copy.train()
            copy(data.batch(slice(0, 1))[0])
        except InputError:  # it cannot be copied
            return False
        except ENDING:
            raise
        except BaseException:
            return True
    return False


@dataclass
class BestEpoch:
    """The weights of the best epoch so far.

    Attributes:
        epoch: its number; None before the first one.
        masks: the masks in force in that epoch.
    """

    epoch: int | None = None
    validation: float = -math.inf
    weights: Weights = field(default_factory=dict)
    masks: Masks | None = None

    def offer(
        self, epoch: int, validation: float, model: nn.Module, masks: Masks | None = None
    ) -> None:
        """Keep the model's weights if they beat every earlier epoch."""
        if validation > self.validation:
            self.epoch, self.validation, self.masks = epoch, validation, masks
            self.weights = copy_weights(model)

    def restore(self, model: nn.Module) -> Weights:
        """Load the best weights, if any, into `model`; returns a copy of its weights."""
        if self.epoch is not None:
            load_into(model, self.weights)
        return copy_weights(model)

    def state(self) -> dict[str, Any] | None:
        """What `resume` takes; None before the first epoch."""
        if self.epoch is None:
            return None
        return {**vars(self), "masks": self.masks and self.masks.pruned}

    def resume(self, state: Mapping[str, Any] | None) -> None:
        """Restore a `state`."""
        if state is not None:
            self.epoch, self.validation = state["epoch"], state["validation"]
            self.weights = state["weights"]
            self.masks = None if state["masks"] is None else Masks(state["masks"])
