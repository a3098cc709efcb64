"""The weights of a net: a plain state_dict, its digest, and whether it fits a model."""

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.errors import InputError
from core.nets.layers import prunable_layers

Weights = dict[str, Tensor]
"""A plain state_dict: names to tensors."""


class DenseWeights(NamedTuple):
    """A dense net's weights, and those early in its training if they were kept.

    `trained` is False for freshly initialized weights.
    """

    weights: Weights
    early: Weights | None
    trained: bool = True


def copy_weights(model: nn.Module) -> Weights:
    """The state_dict of `model` as contiguous copies on the CPU."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }


def load_into(model: nn.Module, weights: Mapping[str, Tensor], *, assign: bool = False) -> None:
    """Load a state_dict of the model's own, as `copy_weights` returns it.

    Modules that check the version of a state_dict, such as torchvision's MNASNet, are told their
    own, which a plain dict does not carry. `assign` shares the memory of `weights`.
    """
    state = versioned(weights, module_versions(model))
    model.load_state_dict(state, assign=assign)


def module_versions(model: nn.Module) -> dict[str, int]:
    """The versions of a model's modules by their names, where they have one."""
    named = model.named_modules(remove_duplicate=False)
    versions = ((name, getattr(module, "_version", None)) for name, module in named)
    return {name: version for name, version in versions if version is not None}


def versioned(weights: Mapping[str, Tensor], versions: Mapping[str, int]) -> Mapping[str, Tensor]:
    """A state_dict with the versions of the modules that wrote it, as torch's own carries them."""
    state = OrderedDict(weights)
    metadata = OrderedDict((name, {"version": version}) for name, version in versions.items())
    state._metadata = metadata  # type: ignore[attr-defined]
    return state


def weights_digest(weights: Weights) -> str:
    """16 hexadecimal digits of the SHA-256 of names, types, shapes and values, in name order."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        # As bytes, because NumPy has no bfloat16.
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def check_fit(weights: Weights, model: nn.Module, path: Path) -> Weights:
    """Check that tensors read from a file are a state_dict of `model`, and return them.

    Raises InputError if their names, shapes or types are not the model's, or they are not finite.
    """
    expected = model.state_dict()
    if wrong := _first_difference(weights, expected) or _untied(weights, model):
        raise InputError(f"{path} does not fit {type(model).__name__}: {wrong}")
    for layer in prunable_layers(model):
        for key in layer.keys:
            weights[key].add_(0.0)  # multiplying by a mask leaves negative zeros: make them zeros
    return {name: weights[name] for name in expected}


def element_limit(expected: Weights) -> int:
    """The most values to read from a file; enough to tell that a file holds some larger net."""
    return max(1 << 22, sum(tensor.numel() for tensor in expected.values()))


def cast_like(weights: Weights, expected: Weights) -> Weights:
    """Cast tensors to the types of those of the same name."""
    return {
        name: tensor.to(expected[name].dtype) if name in expected else tensor
        for name, tensor in weights.items()
    }


def _untied(weights: Weights, model: nn.Module) -> str | None:
    """Describe a tied weight that differs between its names; None if there is none."""
    for layer in prunable_layers(model):
        for alias in layer.aliases:
            if not torch.equal(weights[layer.key], weights[alias]):
                return f"'{layer.key}' and '{alias}' are one weight in the net but differ here"
    return None


def _first_difference(weights: Weights, expected: Weights) -> str | None:
    if missing := expected.keys() - weights.keys():
        return f"{_some(missing)} missing"
    if surplus := weights.keys() - expected.keys():
        return f"{_some(surplus)} unexpected"
    for name, tensor in expected.items():
        if weights[name].shape != tensor.shape:
            shape = tuple(weights[name].shape)
            return f"'{name}' has shape {shape}, expected {tuple(tensor.shape)}"
        if weights[name].dtype != tensor.dtype:
            return f"'{name}' has type {weights[name].dtype}, expected {tensor.dtype}"
        if not weights[name].isfinite().all():
            return f"'{name}' has values that are not finite"
    return None


def _some(names: Collection[str]) -> str:
    """The first name, the number of others, and the verb."""
    first, more = min(names), len(names) - 1
    return f"'{first}' and {more} more are" if more else f"'{first}' is"
