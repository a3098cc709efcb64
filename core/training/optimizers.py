"""Optimizers and learning-rate schedules, by the names in `recipes.Phase`."""

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from core.training.recipes import Phase

PER_STEP = ("onecycle",)
"""Schedules that change the learning rate at every step; the others do after every epoch."""


def build_optimizer(model: nn.Module, phase: Phase) -> Optimizer:
    """The optimizer of a phase."""
    parameters, decay = model.parameters(), phase.weight_decay
    match phase.optimizer:
        case "adadelta":
            return Adadelta(parameters, lr=phase.lr, weight_decay=decay)
        case "adamw":
            return AdamW(parameters, lr=phase.lr, weight_decay=decay, fused=True)
        case "sgd":
            lr, momentum = phase.lr, phase.momentum
            return SGD(parameters, lr=lr, momentum=momentum, weight_decay=decay, fused=True)


def build_scheduler(optimizer: Optimizer, phase: Phase, images: int) -> LRScheduler:
    """The learning-rate schedule of a phase with `images` per epoch."""
    match phase.schedule:
        case "step":
            return StepLR(optimizer, step_size=1, gamma=0.7)
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=phase.epochs)
        case "onecycle":
            steps = phase.epochs * phase.steps_in_epoch(images)
            return OneCycleLR(optimizer, max_lr=phase.lr, total_steps=steps)


def match_memory_format(optimizer: Optimizer) -> None:
    """Give optimizer state the memory format of its parameters, as fused steps require."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)
