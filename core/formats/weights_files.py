"""Reads safetensors, compact and `torch.save` files of weights; writes safetensors."""

import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from core.errors import InputError
from core.formats.export_formats import COMPACT, PICKLES
from core.nets.prunable.torch_masks import without_torch_masks
from core.nets.weights import (
    DenseWeights,
    Weights,
    cast_like,
    check_fit,
    element_limit,
    weights_digest,
)
from core.system.files import write_whole

_STATE_KEYS = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts store a net's state_dict."""

_PARALLEL_PREFIX = "module."
"""Prefix that nn.DataParallel adds to every name."""


def load_weights(path: Path, model: nn.Module) -> Weights:
    """Read a state_dict of `model` from a safetensors, compact or torch.save file.

    A torch.save file is unpickled with `weights_only`; its state_dict may be inside a checkpoint,
    and its names may start with `module.`.

    Raises InputError if the file cannot be read, or its names, shapes or types are not the model's.
    """
    expected = model.state_dict()
    return check_fit(without_torch_masks(_read(path, expected), expected), model, path)


def _read(path: Path, expected: Weights) -> Weights:
    try:
        if path.suffix in PICKLES:
            return _unpickled(path, expected)
        return _unpacked(path, expected) if path.suffix == COMPACT else load_file(path)
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}; expected a weights file") from error
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read {path} as safetensors: {error}") from error


def _unpacked(path: Path, expected: Weights) -> Weights:
    """The state_dict of a compact file, converted to the expected types."""
    from core.formats.codec import decode, to_state

    try:
        weights = to_state(decode(path.read_bytes(), element_limit(expected)))
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}") from error
    return cast_like(weights, expected)


def _unpickled(path: Path, expected: Weights) -> Weights:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged zip or pickle may raise anything
        code = re.search(r"GLOBAL (\S+)", str(error))  # what torch refuses to unpickle
        reason = f"it holds '{code[1]}', which would run code" if code else "it is damaged"
        raise InputError(
            f"cannot read {path} as weights: {reason}; expected a state_dict saved by torch.save"
        ) from error
    for name in _STATE_KEYS:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(part, Tensor) for name, part in content.items()
    ):
        raise InputError(f"{path} holds no state_dict: expected a mapping of names to tensors")
    is_parallel = all(name.startswith(_PARALLEL_PREFIX) for name in content)
    if is_parallel and not any(name.startswith(_PARALLEL_PREFIX) for name in expected):
        content = {name.removeprefix(_PARALLEL_PREFIX): tensor for name, tensor in content.items()}
    return {name: tensor.detach() for name, tensor in content.items()}


EARLY = ".early"
"""Inserted between a file's stem and its suffix."""


def early_path(path: Path) -> Path:
    """The file of the early weights of the dense net in `path`: `net.early.safetensors`."""
    return path.with_name(f"{path.stem}{EARLY}{path.suffix}")


def load_dense(path: Path, model: nn.Module) -> DenseWeights:
    """Read a dense net, and its early weights if those of the same training are next to it.

    Raises:
        InputError: see `load_weights`.
    """
    weights, early = load_weights(path, model), early_path(path)
    try:
        with safe_open(early, framework="pt") as file:
            same_training = (file.metadata() or {}).get("of") == weights_digest(weights)
        return DenseWeights(weights, load_weights(early, model) if same_training else None)
    except (OSError, SafetensorError, InputError):
        return DenseWeights(weights, None)


def save_dense(path: Path, dense: DenseWeights, notes: dict[str, str]) -> None:
    """Write a dense net and its early weights; raises InputError if that fails."""
    save_early(path, dense, notes)
    save_weights(path, dense.weights, notes)


def save_early(path: Path, dense: DenseWeights, notes: dict[str, str]) -> None:
    """Write the early weights, if any, next to the net in `path`."""
    if dense.early is not None:
        of = weights_digest(dense.weights)
        save_weights(early_path(path), dense.early, {**notes, "epoch": "1", "of": of})


def save_weights(path: Path, weights: Weights, notes: dict[str, str]) -> None:
    """Write a state_dict as safetensors with `notes` as metadata; raises InputError on failure."""
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    write_whole(path, lambda part: part.write_bytes(save(tensors, metadata=notes)))
