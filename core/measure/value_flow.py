"""Follows values through a net: which prunable weights multiply them, which ReLU they reach first.

A torch dispatch mode sees every operation, whoever calls it: a module, a function such as
`F.linear`, or torch itself within attention and recurrent nets. What is computed from prunable
weights alone, such as a slice of one or one times a mask, stands for them. An operation that
multiplies something else by a weight is a call of its layer. A ReLU belongs to a layer if the
layer's values reach it without passing through another layer, whatever else lies between (batch
norm, pooling, an addition).
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import unwrap
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._dispatch.python import enable_python_dispatcher
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from core.measure import operations
from core.measure.layer_counts import LayerCall, LayerCount
from core.nets.calls import EVALUATION, NetCall

Calls = frozenset[LayerCall]
Layers = tuple[LayerCount, ...]
Tensors = Iterable[Tensor]

_CALLS = "_featherweight_calls"
"""The attribute of a tensor computed from images: the layer calls that its values stem from."""

_LAYERS = "_featherweight_layers"
"""The attribute of a tensor computed from prunable weights alone: their layers."""

_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_TORCHS_OWN = ("aten", "prim", "prims", "profiler")


class NetCount:
    """Counts of a net.

    Attributes:
        layers: by the `id` of the weight.
        unprunable: multiplications that involve no prunable weight, such as attention's.
        uncounted: what multiplies in a way that is not known, in order.
    """

    def __init__(self, layers: Mapping[int, LayerCount]) -> None:
        self.layers, self.unprunable = layers, 0
        self.uncounted: dict[str, None] = {}

    def run(self, model: nn.Module, images: Tensor) -> None:
        """Count one batch."""
        for layer in self.layers.values():
            layer.start_batch()
        setattr(images, _CALLS, Calls())
        flow = _ValueFlow if "torch._dynamo" in sys.modules else _EagerValueFlow
        with NetCall(EVALUATION, images), torch.no_grad(), _UnfusedKernels(), flow(self):
            model(images)


class _UnfusedKernels(TorchFunctionMode):
    """Makes torch run attention and recurrent nets as products that a dispatch mode can see.

    While any mode of this kind is active, torch's attention modules use no fused kernel.
    """

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") not in _RECURRENT:
            return func(*args, **kwargs)
        with enable_python_dispatcher():  # otherwise CUDA runs the whole net in one operation
            return func(*args, **kwargs)


class _Use(NamedTuple):
    """Prunable weights, the tensor they multiply, and how many of its values are not zero."""

    layers: Layers
    input: Tensor
    nonzero: int


class _ValueFlow(TorchDispatchMode):
    """Follows images and weights from operation to operation."""

    supports_higher_order_operators = True

    def __init__(self, net: NetCount) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._net = net

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if torch.is_inference_mode_enabled() and isinstance(func, OpOverload):
            with self:  # there, operations made of others arrive whole
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        operation = getattr(func, "overloadpacket", func)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        use = self._use(operation, args)  # before an operand may be overwritten
        result = func(*args, **kwargs)
        if use is not None:
            others = (tensor for tensor in tensors if tensor is not use.input)
            calls = self._count(use, operation, args, result) | (_calls(others) or Calls())
        elif operation is operations.FUSED_LSTM:
            calls = self._count_lstm(args, result[0])
        elif (stems := _calls(tensors)) is not None:
            self._count_rest(func, args, tensors, result)
            calls = _passed_on(stems, operation, args, kwargs, result)
        else:
            self._count_rest(func, args, tensors, result)
            if (layers := self._layers(tensors)) and not operations.creates(operation):
                self._mark(result, _LAYERS, layers)
            return result
        self._mark(result, _CALLS, calls)
        if calls and operation is operations.SLICING:
            _mark_slices(result, calls)
        return result

    def _use(self, operation: Any, args: Sequence[Any]) -> _Use | None:
        """How an operation multiplies by prunable weights or looks them up, if it does."""
        if operation not in operations.FACTORS:
            return None
        factors = [args[place] for place in operations.FACTORS[operation]]
        if not all(isinstance(factor, Tensor) for factor in factors):
            return None
        first, second = (self._layers([factor]) for factor in factors)
        if bool(first) == bool(second):
            return None
        input_ = factors[1] if first else factors[0]
        if operation in operations.LOOKUPS:
            return _Use(first, input_, input_.numel())
        # A weight scaled by a mask, or reduced to its norm, is still a weight.
        if operation not in operations.PRODUCTS and _calls([input_]) is None:
            return None
        return _Use(first or second, input_, int(input_.count_nonzero()))

    def _count(self, use: _Use, operation: Any, args: Sequence[Any], result: Any) -> Calls:
        output = result if isinstance(result, Tensor) else result[0]
        macs, counts = operations.macs(operation, args, output), _counts(output)
        has_bias = operation not in operations.WITHOUT_BIAS
        whole, calls = sum(layer.elements for layer in use.layers), []
        for layer in use.layers:
            layer.macs += macs * layer.elements // whole
            layer.inputs += use.input.numel()
            layer.nonzero_inputs += use.nonzero
            share = layer.elements, whole
            calls.append(LayerCall(layer, *counts, share, has_bias).start())
        return Calls(calls)

    def _count_lstm(self, args: Sequence[Any], output: Tensor) -> Calls:
        """Count the products that make the gates: computed here, as the kernel hides them."""
        first, reverse, has_biases = args[5].reshape(1, *output.shape[1:]), args[7], args[12]
        hidden = torch.cat((output[1:], first) if reverse else (first, output[:-1]))
        gates = []
        for values, weight, bias in zip((args[0], hidden), args[1:3], args[3:5], strict=True):
            rows = values.flatten(0, 1)
            with self:
                columns = weight.t()
                gates.append(bias.addmm(rows, columns) if has_biases else rows.mm(columns))
        return _calls(gates) or Calls()

    def _count_rest(self, func: Any, args: Sequence[Any], tensors: Tensors, result: Any) -> None:
        """Count an operation without prunable weights; name what cannot be counted."""
        operation = getattr(func, "overloadpacket", func)
        net, layers, flows = self._net, self._layers(tensors), _calls(tensors) is not None
        if operation in operations.UNWEIGHTED and not layers:
            net.unprunable += operations.macs(operation, args, result)
        elif operations.is_attention(operation):
            net.unprunable += operations.attention_macs(*args[:3])
        elif flows and operation not in operations.ADDITIVE:
            net.uncounted |= {f"{layer.name} ({operation})": None for layer in layers}
            own = getattr(func, "namespace", "") in _TORCHS_OWN
            if not own and any(isinstance(tensor, nn.Parameter) for tensor in tensors):
                net.uncounted[str(operation)] = None

    def _layers(self, tensors: Tensors) -> Layers:
        """The layers whose weights these tensors are, or are computed from."""
        found = dict[LayerCount, None]()
        for tensor in tensors:
            if (layer := self._net.layers.get(id(tensor))) is not None:
                found[layer] = None
            elif not hasattr(tensor, _CALLS):
                found |= dict.fromkeys(getattr(tensor, _LAYERS, ()))
        return tuple(found)

    def _mark(self, result: Any, name: str, value: Calls | Layers) -> None:
        for output in tree_leaves(result):
            if isinstance(output, Tensor) and id(output) not in self._net.layers:
                setattr(output, name, value)


class _EagerValueFlow(_ValueFlow):
    """The same as long as torch's compiler is not imported.

    Torch wraps a mode to keep the compiler out of it, and the wrapper imports the compiler: that
    takes more than a second, and keeps the frames it is called from, and the net in them, alive
    until the next garbage collection.
    """


_EagerValueFlow.__torch_dispatch__ = unwrap(_ValueFlow.__torch_dispatch__)  # type: ignore[method-assign]


def _calls(tensors: Tensors) -> Calls | None:
    """The layer calls that these values stem from; None if they do not depend on the images."""
    calls = [found for tensor in tensors if (found := getattr(tensor, _CALLS, None)) is not None]
    return Calls().union(*calls) if calls else None


def _passed_on(
    calls: Calls, operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any
) -> Calls:
    """The calls whose values leave an operation that is no layer."""
    if calls and operations.is_relu(operation, args, kwargs):
        counts = _counts(result)
        for call in calls:
            call.record_relu(*counts)
        return Calls()
    if len(calls) == 1 and operation in operations.ADDITIONS and _is_bias(args[1]):
        for call in calls:
            call.record_bias(*_counts(result))
    return calls


def _is_bias(value: Any) -> bool:
    return isinstance(value, nn.Parameter) and value.dim() == 1


def _mark_slices(slices: Sequence[Tensor], calls: Calls) -> None:
    counts = zip(*map(_counts, slices), strict=True)
    sizes, nonzero = (list(each) for each in counts)
    parts = zip(*(call.slices(sizes, nonzero) for call in calls), strict=True)
    for tensor, part in zip(slices, parts, strict=True):
        setattr(tensor, _CALLS, Calls(part))


def _counts(values: Tensor) -> tuple[int, int]:
    """How many values there are, and how many are not zero."""
    return values.numel(), int(values.count_nonzero())
