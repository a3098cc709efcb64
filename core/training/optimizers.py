"""Optimizers, by the names in `recipes.Phase`."""

from inspect import unwrap
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer

from core.training.recipes import Phase


def build_optimizer(model: nn.Module, phase: Phase) -> Optimizer:
    """The optimizer of a phase."""
    parameters, decay = model.parameters(), phase.weight_decay
    match phase.optimizer:
        case "adadelta":
            return _EagerAdadelta(parameters, lr=phase.lr, weight_decay=decay)
        case "adamw":
            return _EagerAdamW(parameters, lr=phase.lr, weight_decay=decay, fused=True)
        case "sgd":
            lr, momentum = phase.lr, phase.momentum
            return _EagerSGD(parameters, lr=lr, momentum=momentum, weight_decay=decay, fused=True)


def match_memory_format(optimizer: Optimizer) -> None:
    """Give optimizer state the memory format of its parameters, as fused steps require."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


class _Eager(Optimizer):
    """Methods without the wrappers that keep torch's compiler out of them.

    To do so, the wrappers import the compiler, which takes more than a second, and no step is
    compiled.
    """

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        unwrap(Optimizer.add_param_group)(self, param_group)

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = unwrap(Optimizer.state_dict)(self)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        unwrap(Optimizer.load_state_dict)(self, state_dict)

    def zero_grad(self, set_to_none: bool = True) -> None:
        unwrap(Optimizer.zero_grad)(self, set_to_none)


class _EagerAdadelta(_Eager, Adadelta):
    step = torch.no_grad()(unwrap(Adadelta.step))


class _EagerAdamW(_Eager, AdamW):
    step = torch.no_grad()(unwrap(AdamW.step))


class _EagerSGD(_Eager, SGD):
    step = torch.no_grad()(unwrap(SGD.step))
