"""The units of a net in the order in which a compact file of it is smallest.

The units of a hidden layer can be exchanged at will: a net with its n units in another order, and
the weights that read them with them, is the same net but for the rounding of sums. So their order
carries log2(n!) bits that nobody needs, 210 bytes for 256 units; in an order that can be foretold
they need not be written. Units are sorted by where their weights are, those with an earlier one
first, which is what `core.formats.codec` makes use of.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.graph.tracing import UntraceableError, alike, trace, untraceable
from core.graph.unit_graph import steps_of
from core.graph.units import Each, LayerStep, Look, Step


def in_order(model: nn.Module, images: Tensor) -> None:
    """Sort the units of the hidden layers of `model` in place, where its calls allow it.

    It keeps its shapes, its layers' sparsities and, but for rounding, its logits.

    Args:
        model: the net, which ends up in evaluation.
        images: a few to try it with, [N, C, H, W].

    Raises:
        UntraceableError: it cannot be followed from call to call; nothing is changed.
    """
    ordered = deepcopy(model)
    traced = trace(ordered, images)
    steps = {step.node: step for step in steps_of(traced, ordered)}
    with torch.no_grad():
        for step in steps.values():
            if isinstance(step, LayerStep):
                _sort(ordered, step, steps)
        with untraceable("it cannot run with other weights"):
            made = ordered(traced.images.clone())
    if not alike(made, traced.logits):
        raise UntraceableError("with its units in another order it gives other logits")
    model.eval().load_state_dict(ordered.state_dict())


def _sort(model: nn.Module, layer: LayerStep, steps: dict[fx.Node, Step]) -> None:
    """Sort the units of a layer, unless something may tell one from another."""
    after = list(_after(layer, steps))
    if not all(isinstance(step, Each | LayerStep | Look) for step in after):
        return
    readers = [step for step in after if isinstance(step, LayerStep)]
    order = _order(layer, readers)
    _take(layer.module.weight, 0, order)
    if layer.module.bias is not None:
        _take(layer.module.bias, 0, order)
    for step in after:
        if isinstance(step, Each) and step.norm:
            _take_norm(model.get_submodule(step.norm), order)
    for reader in readers:
        weight = reader.module.weight
        taps = weight.shape[1] // reader.inputs
        columns = order[:, None] * taps + torch.arange(taps)
        _take(weight, 1, columns.flatten())


def _after(layer: LayerStep, steps: dict[fx.Node, Step]) -> Iterator[Step]:
    """The calls that are given the units of a layer, each still by itself."""
    waiting = [layer.node]
    while waiting:
        for user in waiting.pop().users:
            yield steps[user]
            if isinstance(steps[user], Each):
                waiting.append(user)


def _order(layer: LayerStep, readers: list[LayerStep]) -> Tensor:
    """The units by where their weights are, those that are read more first among equals."""
    rows = (layer.weight != 0).flatten(1).numpy()
    read = sum((step.weight != 0).sum((0, 2)) for step in readers)
    reads = read.tolist() if isinstance(read, Tensor) else [0] * layer.units
    keys = [(row.tobytes(), count) for row, count in zip(rows, reads, strict=True)]
    return torch.tensor(sorted(range(layer.units), key=keys.__getitem__, reverse=True))


def _take(parameter: Tensor, dimension: int, order: Tensor) -> None:
    parameter.copy_(parameter.index_select(dimension, order.to(parameter.device)))


def _take_norm(norm: nn.Module, order: Tensor) -> None:
    """Sort what a batch norm has for each unit."""
    assert isinstance(norm, _BatchNorm)
    for tensor in (*norm.parameters(recurse=False), *norm.buffers(recurse=False)):
        if tensor.dim():
            _take(tensor, 0, order)
