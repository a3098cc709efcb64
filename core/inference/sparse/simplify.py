"""A traced net with fewer calls and the same logits, so that more of its layers are adjacent.

Batch norms are folded into the layers before them (Jacob et al. 2018, section 3.2), dropouts are
removed, and every flattening becomes `torch.flatten`, so that no call reads shapes for it.
"""

from __future__ import annotations

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
    made = _Simpler(traced)
    made.go()
    return made.sizes


class _Simpler:
    """Goes through the calls of a net, once."""

    def __init__(self, traced: Traced) -> None:
        self._net = traced.net
        self._fewer = traced.shapes[0]
        self.sizes: Sizes = dict(traced.shapes[1])
        self._calls = Counter(str(node.target) for node in traced.net.graph.nodes)

    def go(self) -> None:
        """Take away what can be."""
        for node in list(self._net.graph.nodes):
            source = node.args[0] if node.args else None
            if isinstance(source, fx.Node) and source in self.sizes:
                self._look_at(Call(self._net, node, source))
        self._net.graph.eliminate_dead_code()
        self._net.recompile()

    def _look_at(self, call: Call) -> None:
        if call.has_hooks:
            return
        if call.is_identity:
            self._drop(call.node, call.source)
        elif call.kind in RESHAPES and self._flattens(call):
            with self._net.graph.inserting_after(call.node):
                flat = self._net.graph.call_function(torch.flatten, (call.source, 1))
            self.sizes[flat] = self.sizes[call.node]
            self._drop(call.node, flat)
        elif call.kind in NORMS and self._folds(call):
            self._drop(call.node, call.source)

    def _drop(self, node: fx.Node, instead: fx.Node) -> None:
        node.replace_all_uses_with(instead)
        self._net.graph.erase_node(node)

    def _flattens(self, call: Call) -> bool:
        made, given = self.sizes.get(call.node, ()), self.sizes[call.source]
        whole = made == (3, math.prod(given[1:])) and given[0] == 3
        return whole and self._fewer.get(call.node) == (2, *made[1:])

    def _folds(self, call: Call) -> bool:
        """Fold a batch norm into the layer before it, if that is a layer of its own."""
        norm, source = call.module, call.source
        assert isinstance(norm, _BatchNorm)
        if source.op != "call_module" or len(source.users) > 1:
            return False
        path = str(source.target)
        layer = self._net.get_submodule(path)
        has_hooks = layer._forward_hooks or layer._forward_pre_hooks
        if has_hooks or self._calls[path] > 1 or norm.running_mean is None:
            return False
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            self._net.add_submodule(path, fuse_conv_bn_eval(layer, norm))
        elif isinstance(layer, nn.Linear) and len(self.sizes[source]) == 2:
            self._net.add_submodule(path, fuse_linear_bn_eval(layer, norm))
        else:
            return False
        return True
