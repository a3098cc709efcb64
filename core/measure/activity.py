"""What each layer of a net does for an image: multiplications, and how many activations are zero.

The net only has to run. Hooks see the input and output of each layer, and a torch dispatch mode
sees every operation between them. A ReLU belongs to a layer if the layer's values reach it without
passing through another layer, whatever else lies between (batch norm, pooling, an addition).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.measure.costs import Activity
from core.measure.evaluation import batches
from core.nets.calls import EVALUATION, NetCall, evaluation_mode
from core.nets.layers import PRUNABLE, prunable_layers

_aten = torch.ops.aten

_RELUS = {
    _aten.relu, _aten.relu_, _aten.clamp_min, _aten.clamp_min_, _aten.threshold, _aten.threshold_,
    _aten.hardtanh, _aten.hardtanh_,
}  # fmt: skip
"""Operations that produce zeros: ReLU and ReLU6 in every form that reaches the dispatcher."""

_ORIGINS = "_featherweight_calls"
"""The tensor attribute that holds the layer calls its values stem from."""


def preload_dispatcher() -> None:
    """Import what a dispatch mode needs before there is a net to measure.

    torch imports it when the first mode sees the first operation; that import keeps the calling
    frames, and the net in them, alive until the next garbage collection.
    """
    import_module("torch._dynamo")


def measure_activity(
    model: nn.Module, data: Images, stop: StopFlag = never
) -> Stream[dict[str, Activity]]:
    """Run all images of `data` through `model` and count, layer by layer.

    Layers that the net does not run are left out. Raises StoppedError if `stop` is raised.
    """
    evaluation_mode(model)
    counts = {layer.name: _LayerCounter() for layer in prunable_layers(model)}
    with _hooked(model, counts), torch.no_grad():
        for batch in batches(data):
            if stop():
                raise StoppedError("stopped: nothing was measured")
            yield Progress("measuring activations", batch.start, len(data), "images")
            images, _ = data.batch(batch)
            with NetCall(EVALUATION, images), _OriginTracking():  # type: ignore[no-untyped-call]
                model(images)
    yield Progress("measuring activations", len(data), len(data), "images")
    return {name: count.mean(len(data)) for name, count in counts.items() if count.inputs}


class _LayerCounter:
    """Counts for one layer."""

    def __init__(self) -> None:
        self.macs = self.inputs = self.nonzero_inputs = self.units = self.nonzero_units = 0

    def run(self, module: nn.Module, input_: Tensor, output: Tensor) -> None:
        """Count one call of the layer."""
        looks_up = isinstance(module, nn.Embedding | nn.EmbeddingBag)
        if not looks_up:
            side = input_ if isinstance(module, nn.modules.conv._ConvTransposeNd) else output
            self.macs += side.numel() * module.get_parameter("weight")[0].numel()
        self.inputs += input_.numel()
        self.nonzero_inputs += input_.numel() if looks_up else int(input_.count_nonzero())
        setattr(output, _ORIGINS, frozenset([_LayerCall(self, output)]))

    def mean(self, images: int) -> Activity:
        """Averages per image, and fractions."""
        return Activity(
            macs=self.macs / images,
            units=self.units / images,
            act=self.nonzero_units / self.units if self.units else 0.0,
            input=self.nonzero_inputs / self.inputs,
        )


class _LayerCall:
    """One call of a layer: counts its output until its values reach a ReLU, then the ReLU's."""

    def __init__(self, counter: _LayerCounter, output: Tensor) -> None:
        self._counter, self._rectified = counter, False
        self._units, self._nonzero = output.numel(), int(output.count_nonzero())
        counter.units += self._units
        counter.nonzero_units += self._nonzero

    def record_relu(self, units: int, nonzero: int) -> None:
        if not self._rectified:
            self._counter.units += units - self._units
            self._counter.nonzero_units += nonzero - self._nonzero
            self._rectified = True


class _OriginTracking(TorchDispatchMode):
    """Tracks, from operation to operation, which layer calls a tensor's values stem from."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        leaves = tree_leaves((args, kwargs))
        calls = frozenset[_LayerCall]().union(
            *(getattr(leaf, _ORIGINS, ()) for leaf in leaves if isinstance(leaf, Tensor))
        )
        if calls and (func.overloadpacket in _RELUS or _clamps_at_zero(func, args, kwargs)):
            nonzero = int(torch.count_nonzero(result))
            for call in calls:
                call.record_relu(result.numel(), nonzero)
            calls = frozenset()
        for output in tree_leaves(result):
            if isinstance(output, Tensor):
                setattr(output, _ORIGINS, calls)
        return result


def _clamps_at_zero(func: Any, args: Any, kwargs: Any) -> bool:
    if func.overloadpacket not in (_aten.clamp, _aten.clamp_):
        return False
    least = args[1] if len(args) > 1 else (kwargs or {}).get("min")
    return isinstance(least, int | float) and least == 0


@contextmanager
def _hooked(model: nn.Module, counts: Mapping[str, _LayerCounter]) -> Iterator[None]:
    """Count the calls of every layer while the context is open."""
    by_weight = {
        id(model.get_parameter(layer.key)): counts[layer.name] for layer in prunable_layers(model)
    }

    def hook(
        counter: _LayerCounter, module: nn.Module, args: Any, kwargs: Any, output: Tensor
    ) -> None:
        leaves = tree_leaves((args, kwargs))
        counter.run(module, next(leaf for leaf in leaves if isinstance(leaf, Tensor)), output)

    # A weight shared by several modules is one layer. A weight that is not a module's `weight`, as
    # in attention, is used where hooks do not see it.
    handles = [
        module.register_forward_hook(partial(hook, by_weight[id(module.weight)]), with_kwargs=True)
        for module in model.modules()
        if isinstance(module, PRUNABLE) and id(module.weight) in by_weight
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
