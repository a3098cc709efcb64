"""Masks that torch holds: `torch.nn.utils.prune` and torch.ao.pruning.

Both keep a tensor's original values and compute the masked ones on every call, which hides the
zeros. Here they become plain zeros; `core.formats.state_dicts` does the same for
files.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from core.errors import InputError
from core.system.error_text import some

_ORIGINAL, _MASK = "_orig", "_mask"
"""Suffixes that `torch.nn.utils.prune` adds for a tensor and its mask."""


class _Held(NamedTuple):
    """A tensor of a module whose mask torch holds.

    Attributes:
        key: its name in the state_dict once the mask is gone.
        original: the parameter with the values before masking.
        pruned: booleans of its shape.
    """

    key: str
    module: nn.Module
    name: str
    original: nn.Parameter
    pruned: Tensor


def check_no_torch_masks(model: nn.Module) -> None:
    """Raise InputError if torch holds masks of a model, which hide its zeros."""
    if held := list(_held(model)):
        raise InputError(
            f"torch holds masks of {some([each.key for each in held])}: call "
            "core.from_torch_prune(model) first, which makes them plain zeros"
        )


def take_torch_masks(model: nn.Module) -> dict[str, Tensor]:
    """Remove the masks that torch holds of any tensor of a model; the zeros remain, in place.

    Returns:
        Where each masked tensor is pruned, by its name in the state_dict.

    Raises:
        InputError: a tied weight is masked under one name only, or differently under another; or a
            mask is mixed with other parametrizations. The model is unchanged.
    """
    held = list(_held(model))
    for each in held:
        _check_ties(each, held, model)
    for each in held:
        if parametrize.is_parametrized(each.module, each.name):
            parametrize.remove_parametrizations(each.module, each.name)
        else:
            prune.remove(each.module, each.name)
        parameter = each.module.get_parameter(each.name)
        parameter.data = _masked(parameter.data, each.pruned)
    return {each.key: each.pruned for each in held}


def _masked(tensor: Tensor, pruned: Tensor) -> Tensor:
    """A tensor with zeros where it is pruned; multiplying by a mask leaves -0, and NaN of inf."""
    return tensor.masked_fill(pruned, 0.0) if pruned.shape == tensor.shape else tensor


def _held(model: nn.Module) -> Iterator[_Held]:
    for path, module in model.named_modules():
        place = f"{path}." if path else ""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, prune.BasePruningMethod):
                name = hook._tensor_name
                original = module.get_parameter(name + _ORIGINAL)
                pruned = module.get_buffer(name + _MASK) == 0
                yield _Held(place + name, module, name, original, pruned)
        if parametrize.is_parametrized(module):
            lists = cast(dict[str, parametrize.ParametrizationList], module.parametrizations)
            for name, steps in lists.items():
                masks = [cast(Tensor, step.mask) for step in steps if _is_sparsifier(step)]
                if masks and len(masks) < len(steps):
                    raise InputError(
                        f"{place}{name} has a mask of torch.ao.pruning and other parametrizations: "
                        "remove them with torch.nn.utils.parametrize.remove_parametrizations"
                    )
                if masks:
                    pruned = torch.stack([mask == 0 for mask in masks]).any(0)
                    yield _Held(place + name, module, name, steps.get_parameter("original"), pruned)


def _is_sparsifier(step: nn.Module) -> bool:
    """Whether it is torch.ao.pruning's parametrization; importing the class is slow."""
    cls = type(step)
    return cls.__name__ == "FakeSparsity" and cls.__module__.startswith("torch.ao.pruning")


def _check_ties(tensor: _Held, held: list[_Held], model: nn.Module) -> None:
    """Raise InputError if a tied tensor is not masked in the same way under all its names."""
    uses = sum(
        parameter is tensor.original
        for module in model.modules()
        for parameter in module._parameters.values()
    )
    alike = [
        each
        for each in held
        if each.original is tensor.original and torch.equal(each.pruned, tensor.pruned)
    ]
    if len(alike) != uses:
        names = [
            name
            for name, parameter in model.named_parameters(remove_duplicate=False)
            if parameter is tensor.original
        ]
        raise InputError(
            f"{' and '.join(names)} are one tied weight, but torch masks {tensor.key} alone or "
            "differently: mask them alike, or call torch.nn.utils.prune.remove"
        )
