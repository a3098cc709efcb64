"""Sorts the units of a net so that its compact file becomes smaller.

Permuting the n units of a hidden layer, together with the weights that read them, changes a net
only by rounding. Their order therefore carries log2(n!) bits of no use, 210 bytes for 256 units. A
canonical order need not be stored: units are sorted by the positions of their nonzero weights,
earliest first, and the codec's context models learn from that order.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, fx, nn

from core.graph.call_classes import unit_calls
from core.graph.tracing import UntraceableError, same_logits, trace, traceable_copy, untraceable
from core.graph.units import LayerCall, ShapeCall, UnitCall, UnitwiseCall


def sort_units(model: nn.Module, images: Tensor) -> None:
    """Sort the units of the hidden layers of `model` in place, where its calls allow.

    Shapes, sparsities and, up to rounding, logits stay. `images` [N, C, H, W] are a few to try it
    on. Raises UntraceableError if the net cannot be traced; nothing is changed then.
    """
    ordered = traceable_copy(model)
    traced = trace(ordered, images)
    calls = unit_calls(traced, ordered)
    with torch.no_grad():
        for call in calls.values():
            if isinstance(call, LayerCall):
                _sort(ordered, call, calls)
        with untraceable("it fails with other weights"):
            result = ordered(traced.images.clone())
    if not same_logits(result, traced.logits):
        raise UntraceableError("its logits change when its units are reordered")
    model.eval().load_state_dict(ordered.state_dict())


def _sort(model: nn.Module, layer: LayerCall, calls: dict[fx.Node, UnitCall]) -> None:
    """Sort the units of a layer, unless a later call may depend on their order."""
    after = list(_after(layer, calls))
    if not all(isinstance(call, UnitwiseCall | LayerCall | ShapeCall) for call in after):
        return
    readers = [call for call in after if isinstance(call, LayerCall)]
    order = _order(layer, readers)
    _take(layer.module.weight, 0, order)
    if layer.module.bias is not None:
        _take(layer.module.bias, 0, order)
    for call in after:
        if isinstance(call, UnitwiseCall) and call.norm:
            norm = model.get_submodule(call.norm)
            for tensor in (*norm.parameters(), *norm.buffers()):
                if tensor.dim():
                    _take(tensor, 0, order)
    for reader in readers:
        weight = reader.module.weight
        taps = weight.shape[1] // reader.inputs
        columns = order[:, None] * taps + torch.arange(taps)
        _take(weight, 1, columns.flatten())


def _after(layer: LayerCall, calls: dict[fx.Node, UnitCall]) -> Iterator[UnitCall]:
    """The calls that read the units of a layer before another layer mixes them."""
    waiting = [layer.node]
    while waiting:
        for user in waiting.pop().users:
            yield calls[user]
            if isinstance(calls[user], UnitwiseCall):
                waiting.append(user)


def _order(layer: LayerCall, readers: list[LayerCall]) -> Tensor:
    """The units by where their weights are, those that are read more first among equals."""
    rows = (layer.weight != 0).flatten(1).numpy()
    read = sum((call.weight != 0).sum((0, 2)) for call in readers)
    reads = read.tolist() if isinstance(read, Tensor) else [0] * layer.units
    keys = [(row.tobytes(), count) for row, count in zip(rows, reads, strict=True)]
    return torch.tensor(sorted(range(layer.units), key=keys.__getitem__, reverse=True))


def _take(parameter: Tensor, dimension: int, order: Tensor) -> None:
    parameter.copy_(parameter.index_select(dimension, order.to(parameter.device)))
