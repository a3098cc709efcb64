"""Masks to and from `torch.nn.utils.prune`."""

from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from core.errors import InputError
from core.nets.layers import PRUNABLE, prunable_layers
from core.nets.weights import copy_weights
from core.pruning.masks import Masks


def to_torch_prune(model: nn.Module, masks: Masks) -> None:
    """Apply masks with `torch.nn.utils.prune`, which then keeps the zeros, in place.

    Each pruned `weight` becomes the product of the parameter `weight_orig` and the buffer
    `weight_mask`, computed at every call.

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
    modules = {key: _module(model, key) for key in masks.pruned}
    for key, pruned in masks.pruned.items():
        weight = modules[key].weight
        assert isinstance(weight, Tensor)
        if pruned.shape != weight.shape:
            shape, expected = tuple(pruned.shape), tuple(weight.shape)
            raise InputError(f"the mask of '{key}' has shape {shape}: expected {expected}")
    for key, pruned in masks.pruned.items():
        torch_prune.custom_from_mask(modules[key], "weight", ~pruned)


def from_torch_prune(model: nn.Module) -> Masks:
    """Remove `torch.nn.utils.prune` from a model, in place, and return its masks.

    Every pruned tensor, biases included, becomes an ordinary parameter with zeros. Zeros without a
    mask count as pruned too.

    Args:
        model: any model.

    Returns:
        The masks of the prunable layers.

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
    for module in model.modules():
        for hook in list(module._forward_pre_hooks.values()):
            if isinstance(hook, torch_prune.BasePruningMethod):
                torch_prune.remove(module, hook._tensor_name)
    layers = prunable_layers(model)
    return Masks.of(copy_weights(model), layers, {layer.name: 0.0 for layer in layers})


def _module(model: nn.Module, key: str) -> nn.Module:
    """The module whose weight has this name in the state_dict."""
    path, _, name = key.rpartition(".")
    try:
        module = model.get_submodule(path)
    except AttributeError as error:
        problem = f"{type(model).__name__} has no module '{path}'"
        raise InputError(f"mask for '{key}': {problem}") from error
    if name != "weight" or not isinstance(module, PRUNABLE):
        raise InputError(f"mask for '{key}': torch.nn.utils.prune supports only layer weights")
    return module
