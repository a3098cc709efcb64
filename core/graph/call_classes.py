"""Classifies the calls of a traced net: which treat units one by one, and which are layers.

Only calls known by name to be safe are classified so. Everything else (additions, concatenations,
attention, grouped convolutions, weights used twice, the user's own functions) counts as a call
that may need every input and produce any output.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, fx, nn

from core.graph.fx_calls import DROPOUTS, MAX_POOLS, NORMS, RESHAPES, Call, reads_only_shape
from core.graph.tracing import Traced, parameters_read
from core.graph.units import LayerCall, Mixing, ShapeCall, UnitCall, UnitwiseCall

_ONE_BY_ONE = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
    "softsign", "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "sigmoid", "tanh", "clamp",
    "clamp_min", "abs",
)  # fmt: skip
"""Continuous elementwise functions: a rounding error in the input stays one in the output."""

_NAMES = {name + end for name in _ONE_BY_ONE for end in ("", "_")}
_ACTIVATIONS = {
    *(getattr(home, name) for home in (torch, F) for name in _NAMES if hasattr(home, name)),
    *_NAMES,
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.LogSigmoid, nn.Sigmoid,
    nn.Tanh,
}  # fmt: skip
"""As functions, tensor methods and modules."""

_LAYERS = {nn.Linear: 2, nn.Conv1d: 3, nn.Conv2d: 4, nn.Conv3d: 5}
"""With the number of dimensions their input must have for units to lie along dimension 1."""

_AVERAGE_POOLS = {
    nn.AvgPool1d: 3, nn.AvgPool2d: 4, nn.AvgPool3d: 5,
    F.avg_pool1d: 3, F.avg_pool2d: 4, F.avg_pool3d: 5,
}  # fmt: skip
_DIMENSIONS = {
    **MAX_POOLS, **_AVERAGE_POOLS,
    nn.AdaptiveMaxPool1d: 3, nn.AdaptiveMaxPool2d: 4, nn.AdaptiveMaxPool3d: 5,
    nn.AdaptiveAvgPool1d: 3, nn.AdaptiveAvgPool2d: 4, nn.AdaptiveAvgPool3d: 5,
    F.adaptive_max_pool1d: 3, F.adaptive_max_pool2d: 4, F.adaptive_max_pool3d: 5,
    F.adaptive_avg_pool1d: 3, F.adaptive_avg_pool2d: 4, F.adaptive_avg_pool3d: 5,
}  # fmt: skip
"""The poolings, with the number of dimensions their input must have."""


def unit_calls(traced: Traced, model: nn.Module) -> dict[fx.Node, UnitCall]:
    """Classify the calls of a traced net, in order; `model` is the net that was traced."""
    classifier = _Classifier(traced, model)
    for node in traced.net.graph.nodes:
        classifier.calls[node] = classifier.classify(node)
    return classifier.calls


class _Classifier:
    """Classifies a call of a net, given the classified `calls` before it."""

    def __init__(self, traced: Traced, model: nn.Module) -> None:
        self._net = traced.net
        self._shapes = traced.shapes
        self._own = _used_once(traced.net, model)
        self.calls: dict[fx.Node, UnitCall] = {}

    def classify(self, node: fx.Node) -> UnitCall:
        """A call's class: UnitCall if nothing is known about it."""
        if reads_only_shape(node):
            return ShapeCall(node, 0)
        source = self._source(node)
        known = None if source is None else self._known(Call(self._net, node, source))
        shape = self._shape(node)
        return known or UnitCall(node, shape[1] if len(shape) > 1 else 0)

    def _source(self, node: fx.Node) -> fx.Node | None:
        """The only tensor the call reads, if it and the result both have a dimension of units."""
        tensors = [other for other in node.all_input_nodes if self._shape(other)]
        source = node.args[0] if node.args else None
        if not isinstance(source, fx.Node) or tensors != [source]:
            return None
        return source if min(len(self._shape(end)) for end in (node, source)) > 1 else None

    def _known(self, call: Call) -> UnitCall | None:
        """The classified call; None if it is not known to be safe."""
        if call.has_hooks:
            return None
        if call.kind in RESHAPES:
            return self._reshape(call)
        if call.node.all_input_nodes != [call.source]:
            return None
        if call.kind in _LAYERS:
            return self._layer(call)
        if call.kind in NORMS:
            return self._norm(call)
        map_constants = self._constants_map(call)
        return None if map_constants is None else self._each(call, map_constants)

    def _constants_map(self, call: Call) -> Callable[[Tensor], Tensor] | None:
        """How a call without weights maps constants; None if that is not known."""
        if call.kind in _ACTIVATIONS:
            return call.on
        if call.kind in DROPOUTS:
            return _unchanged if call.is_identity else None
        shape = self._shape(call.source)
        if call.kind in (torch.mean, "mean"):
            dims = call.option("dim", 1, ())
            over = [dims] if isinstance(dims, int) else list(dims or ())
            return _unchanged if over and min(dim % len(shape) for dim in over) > 1 else None
        if _DIMENSIONS.get(call.kind) == len(shape):
            return _unchanged if self._pools_constants(call) else _zero_only
        return None

    def _pools_constants(self, call: Call) -> bool:
        """Whether pooling keeps every constant, at the border too."""
        if call.kind in MAX_POOLS:
            # Padding is never the maximum, but a dilated window may hold nothing else.
            return call.option("dilation", 4, 1) == 1 or not _any(call.option("padding", 3, 0))
        if call.kind in _AVERAGE_POOLS:
            other = _any(call.option("padding", 3, 0)) or call.option("ceil_mode", 4, False)
            return not other and call.option("divisor_override", 6, None) is None
        return True

    def _reshape(self, call: Call) -> UnitCall | None:
        """Units stay apart if dimension 1 is kept, or if all but the first are merged."""
        args = (*call.node.args, *call.node.kwargs.values())
        if any(isinstance(arg, torch.dtype) for arg in args):
            return None
        pairs = [(shapes[call.source], shapes[call.node]) for shapes in self._shapes]
        if all(old[:2] == new[:2] for old, new in pairs):
            return self._each(call, _unchanged)
        if all(new == (old[0], math.prod(old[1:])) for old, new in pairs):
            return replace(self._each(call, _unchanged), flattens=True)
        return None

    def _layer(self, call: Call) -> UnitCall | None:
        module, inputs = call.module, self.calls[call.source].units
        assert isinstance(module, Mixing)
        other_input = len(self._shape(call.source)) != _LAYERS[type(module)]
        if other_input or not self._is_own(module) or getattr(module, "groups", 1) != 1:
            return None
        units, padded = len(module.weight), _is_padded(module)
        return LayerCall(call.node, units, call.source, inputs, call.path, module, padded)

    def _norm(self, call: Call) -> UnitCall | None:
        module, units = call.module, self.calls[call.source].units
        assert isinstance(module, nn.modules.batchnorm._BatchNorm)
        if module.running_mean is None or not self._is_own(module) or module.num_features != units:
            return None

        def map_constants(constants: Tensor) -> Tensor:
            values = (module.running_mean, module.running_var, module.weight, module.bias)
            mean, variance, weight, bias = (
                None if value is None else value.detach().cpu().double() for value in values
            )
            return F.batch_norm(constants[None], mean, variance, weight, bias, eps=module.eps)[0]

        return replace(self._each(call, map_constants), norm=call.path)

    def _each(self, call: Call, map_constants: Callable[[Tensor], Tensor]) -> UnitwiseCall:
        units = self.calls[call.source].units
        return UnitwiseCall(call.node, units, call.source, map_constants)

    def _is_own(self, module: nn.Module) -> bool:
        """Whether its weight and bias are plain parameters that nothing else uses."""
        names = [name for name in ("weight", "bias") if getattr(module, name) is not None]
        return all(id(module._parameters.get(name)) in self._own for name in names)

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        return self._shapes[-1].get(node, ())


def _unchanged(constants: Tensor) -> Tensor:
    return constants


def _zero_only(constants: Tensor) -> Tensor:
    return constants.masked_fill(constants != 0, torch.nan)


def _any(padding: Any) -> bool:
    return any(padding) if isinstance(padding, Iterable) else bool(padding)


def _is_padded(module: Mixing) -> bool:
    """Whether it pads its input with zeros."""
    if isinstance(module, nn.Linear) or module.padding_mode != "zeros":
        return False
    if isinstance(module.padding, str):
        return module.padding == "same" and any(size > 1 for size in module.kernel_size)
    return _any(module.padding)


def _used_once(net: fx.GraphModule, model: nn.Module) -> set[int]:
    """The ids of parameters that have one name and are used by one call."""
    names = Counter(id(each) for _, each in model.named_parameters(remove_duplicate=False))
    uses = Counter(id(each) for node in net.graph.nodes for each in parameters_read(net, node))
    return {key for key, count in names.items() if count == uses[key] == 1}
