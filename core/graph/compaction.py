"""A smaller dense net: the same logits, without the dead units and what belongs to them."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.graph.dead_units import Pass
from core.graph.tracing import UntraceableError, alike, untraceable
from core.graph.units import Each, LayerStep, Step


def compacted(model: nn.Module, images: Tensor) -> fx.GraphModule:
    """A net of smaller layers that gives the logits of `model`, which stays as it is.

    It is the traced net, so it does what `model` does in evaluation; zeros between units that
    are left are zeros in it too.

    Args:
        model: a pruned net.
        images: a few to try it with, [N, C, H, W].

    Raises:
        UntraceableError: it cannot be followed from call to call, see `dead_units`, or what it
            computes depends on how many units it has.
    """
    found = Pass(deepcopy(model), images)
    found.remove()
    net, logits = found.traced.net, found.traced.logits
    with untraceable("it counts on the units that are gone"), torch.no_grad():
        for step in found.steps:
            _make_smaller(net, found, step)
        net.recompile()
        made = net(found.traced.images.clone())
    if not alike(made, logits):
        raise UntraceableError("what it computes depends on how many units it has")
    return net


def _make_smaller(net: fx.GraphModule, found: Pass, step: Step) -> None:
    """Put a smaller layer or batch norm in the place of one, or flatten what there is."""
    kept = found.kept(step.node)
    if isinstance(step, LayerStep):
        _replace(net, step.name, _layer(step, found.kept(step.source), kept))
    elif isinstance(step, Each) and step.norm:
        _replace(net, step.norm, _norm(net, step.norm, kept))
    elif isinstance(step, Each) and step.flattens:
        _flatten(net.graph, step.node, step.source)


def _layer(step: LayerStep, inputs: Tensor, kept: Tensor) -> nn.Module:
    """The layer with some of its inputs and some of its units."""
    old, device = step.module, step.module.weight.device
    weight = step.weight[kept][:, inputs]
    made = deepcopy(old)
    if isinstance(made, nn.Linear):
        weight = weight.flatten(1)
        made.in_features, made.out_features = weight.shape[1], len(weight)
    else:
        weight = weight.reshape(*weight.shape[:2], *old.weight.shape[2:])
        made.in_channels, made.out_channels = weight.shape[1], len(weight)
    made.weight = nn.Parameter(weight.contiguous().to(device))
    if old.bias is not None:
        made.bias = nn.Parameter(old.bias.detach()[kept.to(device)])
    return made


def _norm(net: fx.GraphModule, name: str, kept: Tensor) -> nn.Module:
    """The batch norm for some of its units."""
    made = deepcopy(net.get_submodule(name))
    assert isinstance(made, _BatchNorm)
    for key, it in made.named_parameters(recurse=False):
        setattr(made, key, nn.Parameter(it.detach()[kept.to(it.device)]))
    for key, buffer in made.named_buffers(recurse=False):
        if buffer.dim():
            setattr(made, key, buffer[kept.to(buffer.device)])
    made.num_features = int(kept.sum())
    return made


def _replace(net: fx.GraphModule, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(net.get_submodule(parent), child, module)


def _flatten(graph: fx.Graph, node: fx.Node, source: fx.Node) -> None:
    """Have a call flatten what there is, where it may have named a number of features."""
    with graph.inserting_after(node):
        flat = graph.call_function(torch.flatten, (source, 1))
    node.replace_all_uses_with(flat)
    graph.erase_node(node)
