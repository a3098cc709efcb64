"""A user's net as Featherweight works on it: float32 weights, and plain zeros for torch's masks.

Sixteen-bit weights lose the small updates of fine-tuning, and the sizes, kernels and files of a
pruned net are those of float32.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.errors import InputError
from core.nets.layers import prunable_layers, prunable_weights
from core.nets.prunable.net_forms import QUANTIZED, check_form
from core.nets.prunable.torch_masks import check_no_torch_masks, take_torch_masks
from core.nets.weights import state_dict
from core.system.error_text import some


class Change(NamedTuple):
    """What was changed in a net, and what its code must heed."""

    what: str
    remedy: str


class PlainNet(NamedTuple):
    """A net after `plain`.

    Attributes:
        pruned: where the masks that torch held prune its prunable weights, by name.
    """

    model: nn.Module
    pruned: dict[str, Tensor]
    changes: tuple[Change, ...]


def plain(model: nn.Module) -> PlainNet:
    """Convert a net to float32 and the masks that torch holds to plain zeros, in place.

    Raises:
        InputError: see `check_number_types` and `take_torch_masks`.
    """
    check_number_types(model)
    changes, masks = list[Change](), take_torch_masks(model)
    pruned = {}
    if masks:
        keys = {layer.key: layer.keys for layer in prunable_layers(model)}
        pruned = {key: masks[first] for first in keys.keys() & masks for key in keys[first]}
        what = f"the masks that torch held of {some(list(masks))} are plain zeros now"
        if trained := [key for key in masks if key not in pruned]:
            what += f"; {some(trained)} will be trained, since only weights of layers are pruned"
        changes.append(Change(what, "remove uses of them from its code"))
    if other := _other_floats(model):
        model.float()
        what = f"{_types(other)} parameters ({some(list(other))}) converted to float32"
        changes.append(Change(what, f"remove conversions to {_types(other)} from its code"))
    return PlainNet(model, pruned, tuple(changes))


@contextmanager
def explained(changes: Sequence[Change]) -> Iterator[None]:
    """Add the changes of a net to the InputError of a trial of it."""
    try:
        yield
    except InputError as error:
        if not changes:
            raise
        said = "; ".join(f"{change.what}; {change.remedy}" for change in changes)
        raise InputError(f"{error}; {said}") from error


def float_types(model: nn.Module) -> tuple[Change, ...]:
    """Which parameters of a net are not float32; empty if all are."""
    if not (other := _other_floats(model)):
        return ()
    what = f"{some(list(other))} of {type(model).__name__}: {_types(other)}, not float32"
    return (Change(what, "call model.float() first"),)


def check_float32(model: nn.Module) -> None:
    """Raise InputError, with names, unless a net's parameters are plain and float32."""
    check_plain(model)
    if types := float_types(model):
        raise InputError(f"{types[0].what}; {types[0].remedy}")


def check_plain(model: nn.Module) -> None:
    """Raise InputError, with names, if torch holds masks of a net; or see `check_number_types`."""
    check_number_types(model)
    check_no_torch_masks(model)


def check_number_types(model: nn.Module) -> None:
    """Raise InputError, with names, if a net has weights that are not real, dense floats.

    See `check_form`, too.
    """
    kind = type(model).__name__
    check_form(model)
    if names := [name for name, tensor in state_dict(model).items() if tensor.dtype.is_complex]:
        raise InputError(
            f"complex numbers in {some(names)} of {kind}: only real weights can be pruned; for a "
            "constant, call register_buffer with persistent=False"
        )
    for path, module in model.named_modules():
        for name, weight in prunable_weights(module):
            if form := _other_form(weight):
                key = f"{path}.{name}" if path else name
                raise InputError(f"{key} of {kind} is {form}: only dense floats can be pruned")


def _other_form(weight: Tensor) -> str:
    """What a weight is if it is not a dense tensor of floats; empty if it is."""
    if type(weight).__module__.startswith(QUANTIZED):
        return type(weight).__name__
    if weight.layout != torch.strided:
        return _short(weight.layout)
    return "" if weight.dtype.is_floating_point else _short(weight.dtype)


def _other_floats(model: nn.Module) -> dict[str, str]:
    """The parameters of another floating-point type than float32, with their types."""
    return {
        name: _short(parameter.dtype)
        for name, parameter in model.named_parameters()
        if parameter.dtype.is_floating_point and parameter.dtype != torch.float32
    }


def _types(names: dict[str, str]) -> str:
    return " and ".join(dict.fromkeys(names.values()))


def _short(form: object) -> str:
    return str(form).removeprefix("torch.")
