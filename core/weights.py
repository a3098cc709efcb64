"""Weights as files: a plain state_dict in safetensors, checked against the net it is for."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from core.errors import InputError
from core.files import write_whole

Weights = dict[str, Tensor]
"""A plain state_dict: names to tensors."""


def load_weights(path: Path, model: nn.Module) -> Weights:
    """Read a safetensors file that holds a state_dict of `model`.

    Raises:
        InputError: the file cannot be read, or its names, shapes or types are not the model's.
    """
    try:
        weights = load_file(path)
    except FileNotFoundError as error:
        raise InputError(f"no weights at {path}: give the path of a safetensors file") from error
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read {path} as safetensors: {error}") from error
    expected = model.state_dict()
    if wrong := _first_difference(weights, expected):
        raise InputError(f"{path} does not fit {type(model).__name__}: {wrong}")
    return {name: weights[name] for name in expected}


def save_weights(path: Path, weights: Weights, notes: dict[str, str]) -> None:
    """Write a state_dict as safetensors, `notes` in its header; raises InputError if it cannot."""
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    write_whole(path, lambda part: part.write_bytes(save(tensors, metadata=notes)))


def _first_difference(weights: Weights, expected: Weights) -> str | None:
    if missing := expected.keys() - weights.keys():
        return f"'{min(missing)}' is missing"
    if surplus := weights.keys() - expected.keys():
        return f"'{min(surplus)}' is not one of its tensors"
    for name, tensor in expected.items():
        if weights[name].shape != tensor.shape:
            given, wanted = tuple(weights[name].shape), tuple(tensor.shape)
            return f"'{name}' has shape {given}, expected {wanted}"
        if weights[name].dtype != tensor.dtype:
            return f"'{name}' has type {weights[name].dtype}, expected {tensor.dtype}"
        if not bool(weights[name].isfinite().all()):
            return f"'{name}' has values that are not finite"
    return None
