"""Masks to and from `torch.nn.utils.prune`."""

from torch import nn
from torch.nn.utils import prune as torch_prune

from core.errors import InputError
from core.nets.layers import prunable_layers, prunable_weights
from core.nets.prunable.net_forms import check_form
from core.nets.prunable.torch_masks import take_torch_masks
from core.nets.weights import copy_weights
from core.pruning.masks import Masks


def to_torch_prune(model: nn.Module, masks: Masks) -> None:
    """Apply masks with `torch.nn.utils.prune`, which then keeps the zeros, in place.

    Each pruned `weight` becomes the product of the parameter `weight_orig` and the buffer
    `weight_mask`, computed at every call of its module. `nn.MultiheadAttention` reads the weight of
    its `out_proj` without a call: torch cannot hold that mask, `masks.hold` can.

    Args:
        model: the model the masks belong to.
        masks: from `core.prune` or `core.finetune`.

    Raises:
        InputError: a mask does not fit the model, or `torch.nn.utils.prune` does not support its
            weight; the model is unchanged.

    Example:
        >>> import core
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> core.to_torch_prune(model, core.prune(model, {"1": 0.75}))
        >>> sorted(model.state_dict()), int(model[1].weight_mask.sum())
        (['1.bias', '1.weight_mask', '1.weight_orig'], 160)
    """
    holders = {key: _holder(model, key) for key in masks.pruned}
    for key, (module, name) in holders.items():
        shape, expected = tuple(masks.pruned[key].shape), tuple(module.get_parameter(name).shape)
        if shape != expected:
            raise InputError(f"the mask of '{key}' has shape {shape}: expected {expected}")
    for key, (module, name) in holders.items():
        torch_prune.custom_from_mask(module, name, ~masks.pruned[key])


def from_torch_prune(model: nn.Module) -> Masks:
    """Remove `torch.nn.utils.prune` from a model, in place, and return its masks.

    Every pruned tensor, biases included, becomes an ordinary parameter with zeros. Zeros without a
    mask count as pruned too. Masks of torch.ao.pruning are taken as well.

    Args:
        model: any model.

    Returns:
        The masks of the prunable layers.

    Raises:
        InputError: a tied weight is not masked alike under all its names, or a mask of
            torch.ao.pruning is mixed with other parametrizations; the model is unchanged.

    Example:
        >>> import core
        >>> from torch import nn
        >>> from torch.nn.utils import prune
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> _ = prune.l1_unstructured(model[1], "weight", amount=0.75)
        >>> masks = core.from_torch_prune(model)
        >>> sorted(model.state_dict()), int(model[1].weight.count_nonzero())
        (['1.bias', '1.weight'], 160)
    """
    check_form(model)
    take_torch_masks(model)
    layers = prunable_layers(model)
    return Masks.of(copy_weights(model), layers, {layer.name: 0.0 for layer in layers})


def _holder(model: nn.Module, key: str) -> tuple[nn.Module, str]:
    """The module of a parameter with this name in the state_dict, and its name there."""
    path, _, name = key.rpartition(".")
    try:
        module, parent = (model.get_submodule(each) for each in (path, path.rpartition(".")[0]))
    except AttributeError as error:
        problem = f"{type(model).__name__} has no module '{path}'"
        raise InputError(f"mask for '{key}': {problem}") from error
    called = module is parent or not isinstance(parent, nn.MultiheadAttention)
    if name not in dict(prunable_weights(module)) or not called:
        raise InputError(
            f"mask for '{key}': torch.nn.utils.prune cannot hold it; call masks.hold(model, "
            "optimizer) after each step instead"
        )
    return module, name
