"""The weights of a net: a plain state_dict, and whether one fits a model."""

from __future__ import annotations

from collections.abc import Collection
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

    Attributes:
        trained: whether it has been trained, rather than just initialized.
    """

    weights: Weights
    early: Weights | None
    trained: bool = True


def check_fit(weights: Weights, model: nn.Module, path: Path) -> Weights:
    """Check that tensors read from a file are a state_dict of `model`, and return them.

    Raises:
        InputError: their names, shapes or types are not the model's, or they are not finite.
    """
    expected = model.state_dict()
    if wrong := _first_difference(weights, expected) or _untied(weights, model):
        raise InputError(f"{path} does not fit {type(model).__name__}: {wrong}")
    found = {name: weights[name] for name in expected}
    for layer in prunable_layers(model):
        for key in layer.keys:
            # A mask that was multiplied with leaves negative zeros, which are pruned as well.
            found[key].add_(0.0)
    return found


def element_limit(expected: Weights) -> int:
    """How many values a file for such tensors may hold; a small one may be of another net."""
    return max(1 << 22, sum(tensor.numel() for tensor in expected.values()))


def cast_like(found: Weights, expected: Weights) -> Weights:
    """Tensors in the types that are expected of them."""
    return {
        name: tensor.to(expected[name].dtype) if name in expected else tensor
        for name, tensor in found.items()
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
            given, wanted = tuple(weights[name].shape), tuple(tensor.shape)
            return f"'{name}' has shape {given}, expected {wanted}"
        if weights[name].dtype != tensor.dtype:
            return f"'{name}' has type {weights[name].dtype}, expected {tensor.dtype}"
        if not bool(weights[name].isfinite().all()):
            return f"'{name}' has values that are not finite"
    return None


def _some(names: Collection[str]) -> str:
    """The first of some names, how many there are, and the verb."""
    first, more = min(names), len(names) - 1
    return f"'{first}' and {more} more are" if more else f"'{first}' is"
