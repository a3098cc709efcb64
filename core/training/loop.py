"""The training loop: epochs, batches, steps, and the best epoch so far."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from core.data.batches import Images
from core.events import Batch, Notice, StopFlag, Stream
from core.nets.layers import prunable_layers
from core.nets.weights import Weights
from core.pruning.masks import Masks
from core.system.precision import autocast
from core.training.byte_dropout import use_byte_dropout
from core.training.losses import mean_loss
from core.training.recipes import Phase


class Trainer:
    """The loop over epochs and batches of one phase, with the data in memory.

    Args:
        model: the net, on the device of `data`.
        seed: seed of the order of the images and of the net's random draws.
        epochs_before: epochs of earlier phases of the same training.
        epochs: epochs of the whole training; None if it is this phase alone.

    Attributes:
        epoch: completed epochs of this phase.
        seconds: training time of its epochs, measurements excluded.
        epoch_seconds: the same for the last epoch.
        stopped: whether a stop flag ended it early.
        diverged: whether a non-finite loss ended it early.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Images,
        phase: Phase,
        seed: int,
        precision: str,
        epochs_before: int = 0,
        epochs: int | None = None,
    ) -> None:
        self._random = torch.Generator(data.device).manual_seed(seed)
        use_byte_dropout(model, self._random)
        self.model = model.to(memory_format=data.layout)
        self.data = data
        self.phase = phase
        self.precision = precision
        self.epochs_before = epochs_before
        self.epochs = phase.epochs if epochs is None else epochs
        self.epoch = 0
        self.seconds = 0.0
        self.epoch_seconds = 0.0
        self.stopped = False
        self.diverged = False
        self.optimizer = _optimizer(model, phase)
        self.scheduler = _scheduler(self.optimizer, phase, phase.steps_in_epoch(len(data)))
        self._order = torch.Generator().manual_seed(seed)
        self._torch_state = self._order.get_state()
        layers = prunable_layers(model) if phase.l1 else ()
        self._penalized = [model.get_parameter(layer.key) for layer in layers]

    @property
    def finished(self) -> bool:
        """Whether all epochs have ended."""
        return self.epoch >= self.phase.epochs

    def run_epoch(
        self, stop: StopFlag, after_step: Callable[[Optimizer], object] = lambda _: None
    ) -> Stream[float | None]:
        """Train one epoch; returns its mean loss, or None if a stop or divergence ended it."""
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
                epoch=self.epochs_before + self.epoch + 1,
                epochs=self.epochs,
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

    def state(self) -> dict[str, Any]:
        """Everything the next epoch depends on, between two epochs; tensors are copies."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": [self._order.get_state(), self._random.get_state(), self._torch_state],
            "epoch": self.epoch,
            "seconds": self.seconds,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        _match_memory_format(self.optimizer)
        self.scheduler.load_state_dict(state["scheduler"])
        order, random, self._torch_state = state["random"]
        self._order.set_state(order)
        self._random.set_state(random)
        self.epoch = state["epoch"]
        self.seconds = state["seconds"]

    @contextmanager
    def _isolated_rng(self) -> Iterator[None]:
        """Seed what the net draws from torch's global generator, and leave that as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._torch_state)
            yield
            self._torch_state = torch.get_rng_state()

    def _step(self, images: Tensor, labels: Tensor) -> tuple[float, int]:
        """Do one optimizer step; returns the batch's loss and correct predictions before it."""
        self.model.train()
        with self._isolated_rng(), autocast(images.device, self.precision):
            logits = self.model(images)
        loss = mean_loss(self.phase, logits, labels)
        self.optimizer.zero_grad()
        loss.backward()
        for weight in self._penalized:
            if weight.grad is not None:
                weight.grad.add_(weight.detach().sign(), alpha=self.phase.l1)
        self.optimizer.step()
        if self.phase.schedule == "onecycle":
            self.scheduler.step()
        return loss.item(), int((logits.argmax(1) == labels).sum())


class BestEpoch:
    """The weights of the best epoch so far.

    Attributes:
        epoch: its number; None before the first one.
        masks: the masks in force in that epoch.
    """

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.masks: Masks | None = None
        self._validation = -math.inf
        self._weights: Weights = {}

    def offer(
        self, epoch: int, validation: float, model: nn.Module, masks: Masks | None = None
    ) -> None:
        """Keep the model's weights if they beat every earlier epoch."""
        if validation > self._validation:
            self.epoch, self._validation, self.masks = epoch, validation, masks
            self._weights = copy_weights(model)

    def restore(self, model: nn.Module) -> Weights:
        """Load the best weights, if any, into `model`; returns a copy of its weights."""
        if self.epoch is not None:
            model.load_state_dict(self._weights)
        return copy_weights(model)

    def state(self) -> dict[str, Any] | None:
        """What `resume` takes; None before the first epoch."""
        if self.epoch is None:
            return None
        return {
            "epoch": self.epoch,
            "validation": self._validation,
            "weights": self._weights,
            "masks": self.masks and self.masks.pruned,
        }

    def resume(self, state: Mapping[str, Any] | None) -> None:
        """Restore a `state`."""
        if state is not None:
            self.epoch, self._validation = state["epoch"], state["validation"]
            self._weights = state["weights"]
            self.masks = None if state["masks"] is None else Masks(state["masks"])


def copy_weights(model: nn.Module) -> Weights:
    """The state_dict of `model` as contiguous copies on the CPU."""
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


def _match_memory_format(optimizer: Optimizer) -> None:
    """Give optimizer state the memory format of its parameters, as fused steps require."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def _scheduler(optimizer: Optimizer, phase: Phase, steps: int) -> LRScheduler:
    match phase.schedule:
        case "step":
            return StepLR(optimizer, step_size=1, gamma=0.7)
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=phase.epochs)
        case "onecycle":
            return OneCycleLR(optimizer, max_lr=phase.lr, total_steps=phase.epochs * steps)
