"""A traced net with fewer calls and the same logits, so that more of its layers are adjacent.

Batch norms are folded into the layers before them (Jacob et al. 2018, section 3.2), dropouts are
removed, and every flattening becomes `torch.flatten`, which needs no calls that read shapes.
"""

import math
from collections import Counter

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from core.graph.fx_calls import NORMS, RESHAPES, Call
from core.graph.tracing import Traced

Sizes = dict[fx.Node, tuple[int, ...]]
"""Shapes of results for three images, by call."""


def simplify(traced: Traced) -> Sizes:
    """Remove calls in place; returns the shapes of the remaining results for three images."""
    net, sizes = traced.net, dict(traced.shapes[1])
    uses = Counter(str(node.target) for node in net.graph.nodes)
    for node in list(net.graph.nodes):
        source = node.args[0] if node.args else None
        if not isinstance(source, fx.Node) or source not in sizes:
            continue
        call = Call(net, node, source)
        if call.has_hooks:
            continue
        if call.kind in RESHAPES and not call.is_identity and _flattens(call, traced, sizes):
            with net.graph.inserting_after(node):
                source = net.graph.call_function(torch.flatten, (source, 1))
            sizes[source] = sizes[node]
        elif not call.is_identity and not (call.kind in NORMS and _folds(call, sizes, uses, net)):
            continue
        node.replace_all_uses_with(source)
        net.graph.erase_node(node)
    net.graph.eliminate_dead_code()
    net.recompile()
    return sizes


def _flattens(call: Call, traced: Traced, sizes: Sizes) -> bool:
    """Whether a reshape flattens each image, for two images as for three."""
    images, *shape = sizes[call.source]
    results = [shapes.get(call.node) for shapes in traced.shapes]
    return images == 3 and results == [(2, math.prod(shape)), (3, math.prod(shape))]


def _folds(call: Call, sizes: Sizes, uses: Counter[str], net: fx.GraphModule) -> bool:
    """Fold a batch norm into the layer before it, if only the norm reads that layer."""
    norm, source = call.module, call.source
    assert isinstance(norm, _BatchNorm)
    if source.op != "call_module" or len(source.users) > 1:
        return False
    path = str(source.target)
    layer = net.get_submodule(path)
    has_hooks = layer._forward_hooks or layer._forward_pre_hooks
    if has_hooks or uses[path] > 1 or norm.running_mean is None:
        return False
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        net.add_submodule(path, fuse_conv_bn_eval(layer, norm))
    elif isinstance(layer, nn.Linear) and len(sizes[source]) == 2:
        net.add_submodule(path, fuse_linear_bn_eval(layer, norm))
    else:
        return False
    return True
