"""A traced net in which the kernels run some layers and torch runs the rest."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain
from threading import Lock
from typing import Any

import torch
from torch import Tensor, fx, nn

from core.inference.sparse.groups import Group, chains_of, shape_of
from core.inference.sparse.program import Program

_PLAIN = (Tensor, nn.Parameter)
"""Tensor types that have values in memory; others may be placeholders."""


class Chain(nn.Module):
    """Adjacent layers run by the kernels; in evaluation mode, without gradients.

    Each group reads the previous one's output. Up to `threads` threads share the images; each
    computes `block` at a time, in a workspace of `memory` float32 values. Calls share the
    workspaces, so they wait for each other; a copy has its own. `background`: see `Program`.
    """

    def __init__(
        self, groups: Sequence[Group], block: int, threads: int, background: float | None = 0.0
    ) -> None:
        super().__init__()
        self._input_shape, self._output_shape = groups[0].input_shape, groups[-1].output_shape
        channels, rows, columns = shape_of(self._input_shape)
        layers = [layer for group in groups for layer in group.layers]
        self._program = Program(layers, channels, (rows, columns), block, background)
        self.memory, self._threads = self._program.memory, threads
        self._prepare()

    def _prepare(self) -> None:
        """Create the lock and the workspaces, which are neither copied nor saved."""
        self._lock = Lock()
        self._work = [_floats(self.memory) for _ in range(self._threads)]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_lock", "_work")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()

    def forward(self, images: Tensor) -> Tensor:
        """The last layer's output for the first layer's input, [N, ...], float32.

        Raises:
            ValueError: the input's shape or type differs from the traced one, or it is not in CPU
                memory.
        """
        # For a small net, the overhead here matters as much as the kernels.
        shape, work = images.shape, self._work
        is_plain = images.is_cpu and type(images) in _PLAIN
        if shape[1:] != self._input_shape or images.dtype != torch.float32 or not is_plain:
            expected = f"[N, {', '.join(map(str, self._input_shape))}] in torch.float32 on cpu"
            actual = f"{type(images).__name__} {list(shape)} in {images.dtype} on {images.device}"
            raise ValueError(f"{actual}: expected {expected}")
        count = shape[0]
        inputs = images.contiguous().resolve_neg()
        outputs = _floats(count, *self._output_shape)
        with self._lock:
            if len(work) == 1 or count <= self._program.block:
                self._program.run(inputs, outputs, 0, count, work[0])
            else:
                self._run_in_threads(inputs, outputs, count)
        return outputs

    def _run_in_threads(self, inputs: Tensor, outputs: Tensor, count: int) -> None:
        """Let each thread compute some of the blocks."""
        block, run = self._program.block, self._program.run
        shares = min(len(self._work), -(-count // block))
        ends = [-(-count * n // (shares * block)) * block for n in range(shares + 1)]
        tasks = [
            _executor().submit(run, inputs, outputs, begin, min(end, count), work)
            for begin, end, work in zip(ends[1:-1], ends[2:], self._work[1:], strict=False)
        ]
        run(inputs, outputs, 0, min(ends[1], count), self._work[0])
        for task in tasks:
            task.result()


def with_chains(
    net: fx.GraphModule, groups: Sequence[Group], block: int, threads: int,
    background: float | None = 0.0,
) -> nn.Module:  # fmt: skip
    """A net that runs some layers with the kernels; `net` is unchanged and shares the rest.

    `net` is simplified, `groups` are in call order; `Chain` documents the others.
    """
    ends = {adjacent[-1].nodes[-1]: adjacent for adjacent in chains_of(groups)}
    inside = {node for group in groups for node in group.nodes}
    graph, parts, copies = fx.Graph(), _attributes(net), dict[fx.Node, fx.Node]()
    for node in net.graph.nodes:
        if adjacent := ends.get(node):
            name = f"sparse_{len(parts)}"
            source = adjacent[0].source
            parts[name] = Chain(adjacent, block, threads, background_at(source, background))
            copies[node] = graph.call_module(name, (copies[source],))
        elif node not in inside:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    mixed = fx.GraphModule(parts, graph)
    only = next(mixed.children(), mixed) if len(graph.nodes) == 3 else mixed
    return only if isinstance(only, Chain) else mixed


def background_at(source: fx.Node, background: float | None) -> float | None:
    """The most frequent value in a call's result: that of the images, or 0 after a ReLU."""
    return background if source.op == "placeholder" or background is None else 0.0


def group_net(net: fx.GraphModule, group: Group) -> nn.Module:
    """A net of a group's calls alone, run by torch."""
    graph = fx.Graph()
    copies = {group.source: graph.placeholder("inputs")}
    for node in group.nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[group.nodes[-1]])
    return fx.GraphModule(_attributes(net), graph)


def _attributes(net: fx.GraphModule) -> dict[str, object]:
    """The modules, parameters and buffers that calls may refer to."""
    named = chain(net.named_modules(), net.named_parameters(), net.named_buffers())
    return {name: attribute for name, attribute in named if name}


def _floats(*size: int) -> Tensor:
    """An empty float32 tensor on the CPU, whatever torch's defaults are."""
    return torch.empty(size, dtype=torch.float32, device="cpu")


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="sparse")


# A forked process has none of the threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executor.cache_clear)
