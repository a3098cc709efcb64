"""The calls of a traced net told apart: which of them treat each unit by itself, which are layers.

Only what is known by name to be safe counts as such. Everything else (an addition, a
concatenation, attention, a grouped convolution, a weight that is used twice, code of the user's
own that is no call of torch) is a step that may need all that it is given, and makes anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, fx, nn

from core.graph.fx_calls import DROPOUTS, MAX_POOLS, NORMS, RESHAPES, Call, looks
from core.graph.tracing import Traced
from core.graph.units import Each, LayerStep, Look, Mixing, Step

_ONE_BY_ONE = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
    "softsign", "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "sigmoid", "tanh", "clamp",
    "clamp_min", "abs",
)  # fmt: skip
"""Functions of one number, continuous: a rounding more or less makes no difference to speak of."""

_NAMES = {name + end for name in _ONE_BY_ONE for end in ("", "_")}
_ACTIVATIONS = {
    *(getattr(home, name) for home in (torch, F) for name in _NAMES if hasattr(home, name)),
    *_NAMES,
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.LogSigmoid, nn.Sigmoid,
    nn.Tanh,
}  # fmt: skip
"""As functions, as methods of a tensor, as modules."""

_MEANS = {torch.mean, "mean"}

_LAYERS = {nn.Linear: 2, nn.Conv1d: 3, nn.Conv2d: 4, nn.Conv3d: 5}
"""With the dimensions that what they are given has to have; units are along the second then."""

_AVERAGE_POOLS = {
    nn.AvgPool1d: 3, nn.AvgPool2d: 4, nn.AvgPool3d: 5,
    F.avg_pool1d: 3, F.avg_pool2d: 4, F.avg_pool3d: 5,
}  # fmt: skip
_ADAPTIVE_POOLS = {
    nn.AdaptiveMaxPool1d: 3, nn.AdaptiveMaxPool2d: 4, nn.AdaptiveMaxPool3d: 5,
    nn.AdaptiveAvgPool1d: 3, nn.AdaptiveAvgPool2d: 4, nn.AdaptiveAvgPool3d: 5,
    F.adaptive_max_pool1d: 3, F.adaptive_max_pool2d: 4, F.adaptive_max_pool3d: 5,
    F.adaptive_avg_pool1d: 3, F.adaptive_avg_pool2d: 4, F.adaptive_avg_pool3d: 5,
}  # fmt: skip
_DIMENSIONS = {**MAX_POOLS, **_AVERAGE_POOLS, **_ADAPTIVE_POOLS}


def steps_of(traced: Traced, model: nn.Module) -> tuple[Step, ...]:
    """The calls of a net as steps, in their order; `model` is what was traced."""
    return _Follower(traced, model).steps()


class _Follower:
    """Makes a step of each call."""

    def __init__(self, traced: Traced, model: nn.Module) -> None:
        self._net = traced.net
        self._shapes = traced.shapes
        self._own = _used_once(traced.net, model)
        self._made: dict[fx.Node, Step] = {}

    def steps(self) -> tuple[Step, ...]:
        """The steps, in the order of the calls."""
        for node in self._net.graph.nodes:
            self._made[node] = self._step(node)
        return tuple(self._made.values())

    def _step(self, node: fx.Node) -> Step:
        if looks(node):
            return Look(node, 0)
        source = self._source(node)
        known = None if source is None else self._known(Call(self._net, node, source))
        shape = self._shape(node)
        return known or Step(node, shape[1] if len(shape) > 1 else 0)

    def _source(self, node: fx.Node) -> fx.Node | None:
        """The one tensor that it makes another of, both with a dimension of units."""
        tensors = [it for it in node.all_input_nodes if self._shape(it)]
        source = node.args[0] if node.args else None
        if not isinstance(source, fx.Node) or tensors != [source]:
            return None
        return source if min(len(self._shape(it)) for it in (node, source)) > 1 else None

    def _known(self, call: Call) -> Step | None:
        """The step of a call that is known to be safe."""
        if call.hooked:
            return None
        if call.kind in RESHAPES:
            return self._reshape(call)
        if call.node.all_input_nodes != [call.source]:
            return None
        if call.kind in _LAYERS:
            return self._layer(call)
        if call.kind in NORMS:
            return self._norm(call)
        become = self._become(call)
        return None if become is None else self._each(call, become)

    def _become(self, call: Call) -> Callable[[Tensor], Tensor] | None:
        """What a constant becomes in a call that has no weights."""
        if call.kind in _ACTIVATIONS:
            return call.on
        if call.kind in DROPOUTS:
            return _stays if call.does_nothing else None
        shape = self._shape(call.source)
        if call.kind in _MEANS:
            dims = call.option("dim", 1, ())
            over = [dims] if isinstance(dims, int) else list(dims or ())
            return _stays if over and min(it % len(shape) for it in over) > 1 else None
        if _DIMENSIONS.get(call.kind) == len(shape):
            return _stays if self._pools_constants(call) else _stays_if_zero
        return None

    def _pools_constants(self, call: Call) -> bool:
        """A pool makes the same constant of any, at the border too."""
        if call.kind in MAX_POOLS:
            # Padding is never the largest, but a dilated window may lie in nothing else.
            return call.option("dilation", 4, 1) == 1 or not _any(call.option("padding", 3, 0))
        if call.kind in _AVERAGE_POOLS:
            other = _any(call.option("padding", 3, 0)) or call.option("ceil_mode", 4, False)
            return not other and call.option("divisor_override", 6, None) is None
        return True

    def _reshape(self, call: Call) -> Step | None:
        """Each unit stays by itself where it keeps its dimension, or where all but the first go."""
        if any(isinstance(it, torch.dtype) for it in (*call.node.args, *call.node.kwargs.values())):
            return None
        pairs = [(shapes[call.source], shapes[call.node]) for shapes in self._shapes]
        if all(old[:2] == new[:2] for old, new in pairs):
            return self._each(call, _stays)
        if all(new == (old[0], math.prod(old[1:])) for old, new in pairs):
            return replace(self._each(call, _stays), flattens=True)
        return None

    def _layer(self, call: Call) -> Step | None:
        module, inputs = call.module, self._made[call.source].units
        assert isinstance(module, Mixing)
        wrong = len(self._shape(call.source)) != _LAYERS[type(module)]
        if wrong or not self._is_own(module) or getattr(module, "groups", 1) != 1:
            return None
        units, padded = len(module.weight), _is_padded(module)
        return LayerStep(call.node, units, call.source, inputs, call.path, module, padded)

    def _norm(self, call: Call) -> Step | None:
        module, units = call.module, self._made[call.source].units
        assert isinstance(module, nn.modules.batchnorm._BatchNorm)
        if module.running_mean is None or not self._is_own(module) or module.num_features != units:
            return None

        def become(constants: Tensor) -> Tensor:
            values = (module.running_mean, module.running_var, module.weight, module.bias)
            mean, variance, weight, bias = (
                None if it is None else it.detach().cpu().double() for it in values
            )
            return F.batch_norm(constants[None], mean, variance, weight, bias, eps=module.eps)[0]

        return replace(self._each(call, become), norm=call.path)

    def _each(self, call: Call, become: Callable[[Tensor], Tensor]) -> Each:
        return Each(call.node, self._made[call.source].units, call.source, become)

    def _is_own(self, module: nn.Module) -> bool:
        """Its weight and bias are plain parameters that nothing else uses."""
        names = [name for name in ("weight", "bias") if getattr(module, name) is not None]
        return all(id(module._parameters.get(name)) in self._own for name in names)

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        return self._shapes[-1].get(node, ())


def _stays(constants: Tensor) -> Tensor:
    return constants


def _stays_if_zero(constants: Tensor) -> Tensor:
    return constants.masked_fill(constants != 0, torch.nan)


def _any(padding: Any) -> bool:
    return any(padding) if isinstance(padding, Iterable) else bool(padding)


def _is_padded(module: Mixing) -> bool:
    """Zeros lie around what it is given."""
    if isinstance(module, nn.Linear) or module.padding_mode != "zeros":
        return False
    if isinstance(module.padding, str):
        return module.padding == "same" and any(size > 1 for size in module.kernel_size)
    return _any(module.padding)


def _used_once(net: fx.GraphModule, model: nn.Module) -> set[int]:
    """The parameters, by identity, that have one name and that one call uses."""
    names = Counter(id(it) for _, it in model.named_parameters(remove_duplicate=False))
    uses = Counter[int]()
    for node in net.graph.nodes:
        if node.op == "call_module":
            uses.update(id(it) for it in net.get_submodule(str(node.target)).parameters())
        elif node.op == "get_attr":
            uses[id(attrgetter(str(node.target))(net))] += 1
    return {it for it, count in names.items() if count == uses[it] == 1}
