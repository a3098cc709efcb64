"""Refusals of nets whose code or weights torch has turned into something else.

A TorchScript or exported program has no layers to prune, quantized weights are no floats, and the
meta device holds no values.
"""

from typing import Any

import torch
from torch import nn

from core.errors import InputError
from core.nets.calls import NetCall, refused
from core.nets.weights import state_dict
from core.system.error_text import some

QUANTIZED = (
    "torch.ao.nn.quantized.",
    "torch.ao.nn.intrinsic.quantized.",
    "torch.ao.nn.sparse.quantized.",
    "torchao.",
)
"""Packages of modules with quantized weights, and of such weights."""

_NOT_QUANTIZED = ("FloatFunctional", "FXFloatFunctional", "LinearPackedParams", "PackedParameter")
"""Modules of these packages that compute in float, or are a part of another one."""


def check_form(model: nn.Module) -> None:
    """Raise InputError, with names, unless a net is made of modules and tensors of values."""
    check_callable(model)
    check_state(model)
    for name, module in model.named_modules():
        if (program := _program(module)) and next(module.parameters(), None) is not None:
            raise InputError(
                f"{name} of {type(model).__name__} is {program}, whose weights cannot be trained "
                "or pruned: build the net with the module it was made from"
            )


def check_callable(model: nn.Module) -> None:
    """Raise InputError if a net is a program of torch's, or has no values to compute with."""
    if program := _program(model):
        raise InputError(
            f"the net is {program}, which has no layers to prune: give the module it was made from"
        )
    _check_values(model)


def check_state(model: nn.Module) -> None:
    """Raise InputError, with names, unless a net has a state_dict, and its tensors hold floats."""
    _check_values(model)
    _check_not_quantized(model)
    with refused():
        state_dict(model)


def _program(module: nn.Module) -> str:
    """What torch compiled a module to; empty if it is a plain one."""
    if isinstance(module, torch.jit.ScriptModule):
        return "a TorchScript program"
    if any(cls.__module__.startswith("torch.export.") for cls in type(module).__mro__):
        return "an exported program"
    return ""


def _check_values(model: nn.Module) -> None:
    for call in ("modules", "named_modules", "parameters"):
        _listed(model, call)
    tensors = (*_listed(model, "named_parameters"), *_listed(model, "named_buffers"))
    if names := [name for name, tensor in tensors if tensor.is_meta]:
        raise InputError(
            f"{some(names)} of {type(model).__name__} have no values, only shapes: build the net "
            "outside of torch.device('meta'), or call to_empty(device='cpu') and load its weights"
        )


def _listed(model: nn.Module, call: str) -> list[Any]:
    """What a method of a net lists, which its own code may have overridden."""
    with refused(), NetCall(f"{call}()"):
        return list(getattr(model, call)())


def _check_not_quantized(model: nn.Module) -> None:
    kind = type(model).__name__
    if quantized := {
        name or kind: type(module)
        for name, module in model.named_modules()
        if type(module).__module__.startswith(QUANTIZED)
        and not type(module).__name__.startswith(_NOT_QUANTIZED)
    }:
        cls = next(iter(quantized.values()))
        raise InputError(
            f"quantized already: {some(list(quantized))} ({cls.__module__}.{cls.__name__}); give "
            "the float net instead, featherweight export --levels quantizes it"
        )
