"""A call of a traced net: its kind, its arguments, and the sets of kinds that matter here."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, fx, nn

DROPOUTS = {
    nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout,
}  # fmt: skip
"""Identities in evaluation mode; the functions only if called with `training=False`."""

RESHAPES = {
    nn.Flatten, torch.flatten, torch.reshape, torch.squeeze,
    "flatten", "reshape", "squeeze", "view", "contiguous",
}  # fmt: skip

MAX_POOLS = {
    nn.MaxPool1d: 3, nn.MaxPool2d: 4, nn.MaxPool3d: 5,
    F.max_pool1d: 3, F.max_pool2d: 4, F.max_pool3d: 5,
}  # fmt: skip

NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d}

RELUS = {nn.ReLU, F.relu, torch.relu, torch.relu_, F.relu_, "relu", "relu_"}


class Call:
    """A call that reads one tensor.

    Attributes:
        source: the call whose result it reads.
        path: the target's name.
        module: the module that is called; None for functions and methods.
        kind: the module's type, the function, or the method's name.
    """

    def __init__(self, net: fx.GraphModule, node: fx.Node, source: fx.Node) -> None:
        self.node, self.source, self.path = node, source, str(node.target)
        is_module = node.op == "call_module"
        self.module = net.get_submodule(self.path) if is_module else None
        self.kind: Any = node.target if self.module is None else type(self.module)

    @property
    def has_hooks(self) -> bool:
        """Whether hooks make it do more than its kind says."""
        module = self.module
        return module is not None and bool(module._forward_hooks or module._forward_pre_hooks)

    def option(self, name: str, place: int, default: Any) -> Any:
        """An argument: a module's attribute `name`, or that argument of a function."""
        if self.module is not None:
            return getattr(self.module, name, default)
        args = self.node.args
        return args[place] if place < len(args) else self.node.kwargs.get(name, default)

    @property
    def is_identity(self) -> bool:
        """Whether it is a dropout that is off, or an identity."""
        if self.kind not in DROPOUTS:
            return False
        return self.module is not None or self.option("training", 2, True) is False

    def on(self, value: Tensor) -> Tensor:
        """The result of the call for another tensor."""
        rest, named = self.node.args[1:], self.node.kwargs
        if self.module is not None:
            result = self.module(value)
        elif isinstance(self.kind, str):
            result = getattr(value, self.kind)(*rest, **named)
        else:
            result = self.kind(value, *rest, **named)
        assert isinstance(result, Tensor)
        return result


def reads_only_shape(node: fx.Node) -> bool:
    """Whether a call reads only the shape of its input."""
    if node.op == "call_method":
        return node.target in ("size", "dim", "numel")
    return node.op == "call_function" and node.target is getattr and "shape" in node.args
