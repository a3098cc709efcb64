"""The layers of a traced net that the kernels support, each with the calls fused into it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from core.graph.fx_calls import MAX_POOLS, RELUS, Call
from core.inference.sparse.layers import KernelLayer, MaxPool, Pair, WeightLayer
from core.inference.sparse.simplify import Sizes

_WeightModule = nn.Linear | nn.Conv1d | nn.Conv2d
_DIMENSIONS: dict[Any, int] = {nn.Linear: 2, nn.Conv1d: 3, nn.Conv2d: 4}
"""Dimensions of a layer's input, images first."""


@dataclass(frozen=True, eq=False)
class Group:
    """A layer with weights, and the calls after it that the kernels fuse into it.

    A flattening of a linear layer's input belongs to the linear layer.

    Attributes:
        name: the module path of the layer with weights.
        nodes: the calls, each of which reads only the previous one.
        layers: the layer with weights and those after it, in the kernels' form.
        input_shape, output_shape: for one image.
    """

    name: str
    nodes: tuple[fx.Node, ...]
    layers: tuple[KernelLayer, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    @property
    def layer(self) -> WeightLayer:
        """The layer with weights."""
        first = self.layers[0]
        assert isinstance(first, WeightLayer)
        return first

    @property
    def source(self) -> fx.Node:
        """The call whose result it reads."""
        return self.nodes[0].all_input_nodes[0]


def shape_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, rows and columns of one image's values; features count as channels."""
    channels, *size = shape
    rows, columns = [1, 1, *size][-2:]
    return channels, rows, columns


def chains_of(groups: Iterable[Group]) -> tuple[tuple[Group, ...], ...]:
    """The groups in chains, in which each is the only reader of the previous one."""
    chains: list[list[Group]] = []
    for group in groups:
        follows = chains and group.source is chains[-1][-1].nodes[-1]
        if follows and len(group.source.users) == 1:
            chains[-1].append(group)
        else:
            chains.append([group])
    return tuple(map(tuple, chains))


def groups_of(net: fx.GraphModule, sizes: Sizes) -> Iterator[Group]:
    """The groups of a simplified net, in call order."""
    for node in net.graph.nodes:
        call = _call(net, sizes, node)
        if call is not None and (layer := _weighted(call, sizes)) is not None:
            yield _group(net, sizes, node, layer)


def _group(net: fx.GraphModule, sizes: Sizes, node: fx.Node, layer: WeightLayer) -> Group:
    nodes = [node]
    before = _call(net, sizes, node.all_input_nodes[0])
    if before is not None and len(before.node.users) == 1 and _flattens(before, sizes):
        nodes.insert(0, before.node)
        shape = shape_of(sizes[before.source][1:])
        layer = replace(layer, weight=layer.weight.reshape(-1, *shape))
    layers: list[KernelLayer] = [layer]
    while len(nodes[-1].users) == 1:
        call = _call(net, sizes, next(iter(nodes[-1].users)))
        if call is None:
            break
        if call.kind in RELUS:
            layers[-1] = replace(layers[-1], relu=True)
        elif (pool := _pool(call, sizes)) is not None:
            layers.append(pool)
        else:
            break
        nodes.append(call.node)
    shapes = (sizes[end][1:] for end in (nodes[0].all_input_nodes[0], nodes[-1]))
    return Group(str(node.target), tuple(nodes), tuple(layers), *shapes)


def _flattens(call: Call, sizes: Sizes) -> bool:
    """Whether it flattens each image; see `simplify`."""
    images, *shape = sizes[call.source]
    return call.kind is torch.flatten and sizes[call.node] == (images, prod(shape))


def _call(net: fx.GraphModule, sizes: Sizes, node: fx.Node) -> Call | None:
    """A call that reads one tensor only, without hooks."""
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node) or node.all_input_nodes != [source]:
        return None
    if not {node, source} <= sizes.keys():
        return None
    call = Call(net, node, source)
    return None if call.has_hooks else call


def _weighted(call: Call, sizes: Sizes) -> WeightLayer | None:
    """The layer with weights, if the kernels support it."""
    module, dimensions = call.module, _DIMENSIONS.get(call.kind)
    if dimensions != len(sizes[call.source]) or not isinstance(module, _WeightModule):
        return None
    if module.weight.dtype != torch.float32 or module.weight.device.type != "cpu":
        return None
    weight = module.weight.detach().contiguous().numpy()
    bias = np.zeros(len(weight), np.float32)
    if module.bias is not None:
        bias = module.bias.detach().contiguous().numpy()
    if isinstance(module, nn.Linear):
        return WeightLayer(weight[:, :, None, None], bias)
    if module.padding_mode != "zeros":
        return None
    weight = weight if weight.ndim == 4 else weight[:, :, None]
    out, stride = _rows_and_columns(sizes[call.node]), _pair(module.stride)
    padding = _pair(module._reversed_padding_repeated_twice[::2][::-1], 0)
    return WeightLayer(weight, bias, out, stride, padding, _pair(module.dilation), module.groups)


def _pool(call: Call, sizes: Sizes) -> MaxPool | None:
    """The max pooling, if the kernels support it."""
    if MAX_POOLS.get(call.kind) != len(sizes[call.source]) or len(sizes[call.source]) > 4:
        return None
    if call.option("return_indices", 6, False):
        return None
    kernel = call.option("kernel_size", 1, None)
    stride = call.option("stride", 2, None) or kernel
    padding, dilation = call.option("padding", 3, 0), call.option("dilation", 4, 1)
    flat = len(sizes[call.source]) == 3
    kernel, stride, dilation = (_pair(each, flat=flat) for each in (kernel, stride, dilation))
    out = _rows_and_columns(sizes[call.node])
    return MaxPool(out, kernel, stride, _pair(padding, 0, flat=flat), dilation)


def _rows_and_columns(size: tuple[int, ...]) -> Pair:
    """Rows and columns of a result [N, C, ...] with one or two dimensions."""
    return size[-2] if len(size) == 4 else 1, size[-1]


def _pair(option: Any, rows: int = 1, *, flat: bool = False) -> Pair:
    """An option for rows and for columns; `rows` if there are none."""
    if isinstance(option, int):
        return rows if flat else option, option
    return rows if len(option) == 1 else option[0], option[-1]
