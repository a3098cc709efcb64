"""Optimizers, by the names in `recipes.Phase`."""

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer

from core.training.recipes import Phase


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


def match_memory_format(optimizer: Optimizer) -> None:
    """Give optimizer state the memory format of its parameters, as fused steps require."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)
