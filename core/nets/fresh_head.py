"""A new last layer for a net that was trained for other classes."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from core.errors import InputError
from core.nets.builders import FRESH_HEAD
from core.nets.trial import try_forward

AUXILIARY = "aux"
"""What names of auxiliary classifiers start with, in any case."""


def head_name(net: nn.Module) -> str:
    """The path of the last linear layer or convolution; raises InputError if there is none."""
    names: list[str] = [name for name, module in net.named_modules() if _is_layer(module)]
    if not names or not names[-1]:
        raise InputError(f"{type(net).__name__} has no linear layer or convolution to replace")
    return names[-1]


def replace_head(net: nn.Module, classes: int) -> None:
    """Give a net a newly initialized head with `classes` outputs, in place.

    Its auxiliary classifiers get one too. A net with a `reset_classifier`, as timm's have, replaces
    its own. Raises InputError if there is no head.
    """
    if type(classes) is not int or classes < 1:
        raise InputError(f"num_classes={classes!r}: expected a whole number from 1")
    if callable(reset := getattr(net, "reset_classifier", None)):
        reset(classes)
        return
    head = head_name(net)
    old = _outputs(net.get_submodule(head))
    for name, module in list(net.named_modules()):
        auxiliary = name.lower().startswith(AUXILIARY) and _is_layer(module)
        if name == head or (auxiliary and _outputs(module) == old):
            net.set_submodule(name, _fresh(module, classes))


def check_head(net: nn.Module, images: Tensor, classes: int, model: str) -> None:
    """Raise InputError if a trained net has not one logit for each of the images' classes."""
    outputs = try_forward(net, images, 1)
    if outputs != classes:
        raise InputError(
            f"{model} was trained for {outputs:,} classes, the data set has {classes:,}: "
            f"{FRESH_HEAD}"
        )


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | _ConvNd)


def _outputs(layer: nn.Module) -> int:
    outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    assert isinstance(outputs, int)
    return outputs


def _fresh(layer: nn.Module, classes: int) -> nn.Module:
    """A layer of the same kind with other outputs, and weights from torch's global generator."""
    assert isinstance(layer, nn.Linear | _ConvNd)
    same: dict[str, Any] = {"device": layer.weight.device, "dtype": layer.weight.dtype}
    same["bias"] = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, classes, **same)
    names = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    same |= {name: getattr(layer, name) for name in names}
    return type(layer)(layer.in_channels, classes, **same)
