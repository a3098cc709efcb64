"""A traced net in which the kernels run some layers and torch runs the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any

import torch
from torch import Tensor, fx, nn

from core.inference.sparse.groups import Group, chains_of, shape_of
from core.inference.sparse.program import Program

_PLAIN = (Tensor, nn.Parameter)
"""Tensor types that certainly have values in memory; others may be placeholders."""


class Chain(nn.Module):
    """Adjacent layers run by the kernels; in evaluation mode, without gradients.

    Calls share memory, so they wait for each other; a copy has its own.

    Args:
        groups: the layers; each reads the previous one's output.
        block: images that are computed together.
        threads: most threads; each takes some of the images.
        background: see `Program`.

    Attributes:
        memory: size of each thread's workspace, in float32 values.
    """

    def __init__(
        self, groups: Sequence[Group], block: int, threads: int, background: float | None = 0.0
    ) -> None:
        super().__init__()
        self._given, self._made = groups[0].given, groups[-1].made
        channels, rows, columns = shape_of(self._given)
        layers = [layer for group in groups for layer in group.layers]
        self._program = Program(layers, channels, (rows, columns), block, background)
        self.memory, self._threads = self._program.memory, threads
        self._prepare()

    def _prepare(self) -> None:
        """Take what is this net's alone, and goes with it neither into a copy nor into a file."""
        self._lock = Lock()
        self._work = [_floats(self.memory) for _ in range(self._threads)]

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock and the memory."""
        own = ("_lock", "_work")
        return {name: it for name, it in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take memory and a lock of its own."""
        self.__dict__.update(state)
        self._prepare()

    def forward(self, images: Tensor) -> Tensor:
        """The last layer's output for the first layer's input, [N, ...], float32.

        Raises:
            ValueError: the input's shape or type differs from the traced one, or it is not in CPU
                memory.
        """
        # A small net takes no longer than all that is around it: each step here is weighed.
        shape, work = images.shape, self._work
        is_plain = images.is_cpu and type(images) in _PLAIN
        if shape[1:] != self._given or images.dtype != torch.float32 or not is_plain:
            expected = f"[N, {', '.join(map(str, self._given))}] in torch.float32 on cpu"
            said = f"{type(images).__name__} {list(shape)} in {images.dtype} on {images.device}"
            raise ValueError(f"{said}: expected {expected}")
        count = shape[0]
        given = images.contiguous().resolve_neg()
        made = _floats(count, *self._made)
        with self._lock:
            if len(work) == 1 or count <= self._program.block:
                self._program.run(given, made, 0, count, work[0])
            else:
                self._run_in_threads(given, made, count)
        return made

    def _run_in_threads(self, given: Tensor, made: Tensor, count: int) -> None:
        """Have each thread do some of the blocks."""
        block, run = self._program.block, self._program.run
        shares = min(len(self._work), -(-count // block))
        ends = [-(-count * it // (shares * block)) * block for it in range(shares + 1)]
        tasks = [
            _executor().submit(run, given, made, begin, min(end, count), work)
            for begin, end, work in zip(ends[1:-1], ends[2:], self._work[1:], strict=False)
        ]
        run(given, made, 0, min(ends[1], count), self._work[0])
        for task in tasks:
            task.result()


def with_chains(
    net: fx.GraphModule,
    groups: Sequence[Group],
    block: int,
    threads: int,
    background: float | None = 0.0,
) -> nn.Module:
    """A net that runs some layers with the kernels; `net` is left unchanged and shares the rest.

    Args:
        net: see `simplify`.
        groups: the layers, in call order.
        block: images that the kernels compute together.
        threads: threads they may use.
        background: the most frequent value of the images, see `Program`.
    """
    chains = chains_of(groups)
    ends = {chain[-1].nodes[-1]: chain for chain in chains}
    inside = {node for group in groups for node in group.nodes}
    graph, parts, made = fx.Graph(), _attributes(net), dict[fx.Node, fx.Node]()
    for node in net.graph.nodes:
        if chain := ends.get(node):
            name = f"sparse_{len(parts)}"
            source = chain[0].source
            parts[name] = Chain(chain, block, threads, background_at(source, background))
            made[node] = graph.call_module(name, (made[source],))
        elif node not in inside:
            made[node] = graph.node_copy(node, made.__getitem__)
    whole = fx.GraphModule(parts, graph)
    only = list(whole.children()) if len(graph.nodes) == 3 else []
    return only[0] if only and isinstance(only[0], Chain) else whole


def background_at(source: fx.Node, background: float | None) -> float | None:
    """The most frequent value in a call's result: that of the images, or 0 after a ReLU."""
    return background if source.op == "placeholder" or background is None else 0.0


def group_net(net: fx.GraphModule, group: Group) -> nn.Module:
    """The calls of a group as a torch net of the group's input."""
    graph = fx.Graph()
    made = {group.source: graph.placeholder("given")}
    for node in group.nodes:
        made[node] = graph.node_copy(node, made.__getitem__)
    graph.output(made[group.nodes[-1]])
    return fx.GraphModule(_attributes(net), graph)


def _attributes(net: fx.GraphModule) -> dict[str, object]:
    """What the calls of a net may name."""
    every = (net.named_modules(), net.named_parameters(), net.named_buffers())
    return {name: part for parts in every for name, part in parts if name}


def _floats(*size: int) -> Tensor:
    """Room in the processor's memory, whatever torch takes by default."""
    return torch.empty(size, dtype=torch.float32, device="cpu")


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="sparse")


# A process that is forked off has none of the threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_executor.cache_clear)
