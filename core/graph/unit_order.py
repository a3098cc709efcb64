"""Sorts the units of a net so that its compact file becomes smaller.

Permuting the n units of a hidden layer, together with the weights that read them, changes a net
only by rounding. Storing their order wastes log2(n!) bits, 210 bytes for 256 units. So units are
sorted by the positions of their nonzero weights, earliest first, and the codec's context models
learn from that order.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, fx, nn

from core.graph.call_classes import unit_calls
from core.graph.tracing import trace, traceable_copy
from core.graph.units import LayerCall, ShapeCall, UnitCall, UnitwiseCall
from core.nets.calls import evaluation_mode
from core.nets.weights import load_into, state_dict


def sort_units(model: nn.Module, images: Tensor) -> None:
    """Sort the units of the hidden layers of `model` in place, where its calls allow.

    Shapes and sparsities stay, as do the logits up to rounding. `images` [N, C, H, W] are a few to
    try it on. Raises UntraceableError if the net cannot be traced; it is unchanged then.
    """
    ordered = traceable_copy(model)
    traced = trace(ordered, images)
    calls = unit_calls(traced, ordered)
    with torch.no_grad():
        for call in calls.values():
            if isinstance(call, LayerCall):
                _sort(ordered, call, calls)
    traced.check_logits(ordered, "its units are reordered")
    load_into(evaluation_mode(model), state_dict(ordered))


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
    """The units by the positions of their weights; among equals, the most read come first."""
    rows = (layer.weight != 0).flatten(1).numpy()
    read = sum((call.weight != 0).sum((0, 2)) for call in readers)
    reads = read.tolist() if isinstance(read, Tensor) else [0] * layer.units
    keys = [(row.tobytes(), count) for row, count in zip(rows, reads, strict=True)]
    return torch.tensor(sorted(range(layer.units), key=keys.__getitem__, reverse=True))


def _take(parameter: Tensor, dimension: int, order: Tensor) -> None:
    parameter.copy_(parameter.index_select(dimension, order.to(parameter.device)))
