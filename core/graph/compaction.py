"""A smaller dense net with the same logits, built without the dead units."""

from copy import deepcopy

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.graph.dead_units import UnitAnalysis
from core.graph.tracing import traceable_copy, untraceable
from core.graph.units import LayerCall, UnitCall, UnitwiseCall


def compacted(model: nn.Module, images: Tensor) -> fx.GraphModule:
    """Build a net of smaller layers that gives the logits of `model`; `model` is not changed.

    The result is the traced net, so it does what `model` does in evaluation mode. Pruned weights
    between remaining units are zeros in it too.

    `images` [N, C, H, W] are a few to try it on. Raises UntraceableError if the net cannot be
    traced or its result depends on how many units a layer has.
    """
    analysis = UnitAnalysis(traceable_copy(model), images)
    analysis.remove()
    net = analysis.traced.net
    with untraceable("it relies on units that were removed"), torch.no_grad():
        for call in analysis.calls.values():
            _make_smaller(net, analysis, call)
        net.recompile()
    analysis.traced.check_logits(net, "its layers have fewer units")
    return net


def _make_smaller(net: fx.GraphModule, analysis: UnitAnalysis, call: UnitCall) -> None:
    """Replace a layer or batch norm by a smaller one, or a reshape by a flatten."""
    kept = analysis.kept(call.node)
    if isinstance(call, LayerCall):
        net.add_submodule(call.name, _layer(call, analysis.kept(call.source), kept))
    elif isinstance(call, UnitwiseCall) and call.norm:
        net.add_submodule(call.norm, _norm(net, call.norm, kept))
    elif isinstance(call, UnitwiseCall) and call.flattens:
        # It may name a number of features; a plain flatten does not.
        with net.graph.inserting_after(call.node):
            flat = net.graph.call_function(torch.flatten, (call.source, 1))
        call.node.replace_all_uses_with(flat)
        net.graph.erase_node(call.node)


def _layer(call: LayerCall, inputs: Tensor, kept: Tensor) -> nn.Module:
    """The layer reduced to some of its inputs and units."""
    old, device = call.module, call.module.weight.device
    weight = call.weight[kept][:, inputs]
    smaller = deepcopy(old)
    if isinstance(smaller, nn.Linear):
        weight = weight.flatten(1)
        smaller.in_features, smaller.out_features = weight.shape[1], len(weight)
    else:
        weight = weight.reshape(*weight.shape[:2], *old.weight.shape[2:])
        smaller.in_channels, smaller.out_channels = weight.shape[1], len(weight)
    smaller.weight = nn.Parameter(weight.contiguous().to(device))
    if old.bias is not None:
        smaller.bias = nn.Parameter(old.bias.detach()[kept.to(device)])
    return smaller


def _norm(net: fx.GraphModule, name: str, kept: Tensor) -> nn.Module:
    """The batch norm reduced to some of its units."""
    smaller = deepcopy(net.get_submodule(name))
    assert isinstance(smaller, _BatchNorm)
    for key, tensor in (*smaller.named_parameters(), *smaller.named_buffers()):
        if tensor.dim():
            rest = tensor.detach()[kept.to(tensor.device)]
            setattr(smaller, key, nn.Parameter(rest) if key in smaller._parameters else rest)
    smaller.num_features = int(kept.sum())
    return smaller
