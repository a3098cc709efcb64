"""A traced net in which the kernels run some of the layers; torch runs the rest."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch
from torch import Tensor, fx, nn

from core.sparse.groups import Group, chains_of, shape_of
from core.sparse.program import Program


class Chain(nn.Module):
    """Layers one after another, run by the kernels; in evaluation, without gradients.

    Calls work in the same memory: one at a time.

    Args:
        groups: the layers; each reads what the one before gives.
        block: images that are computed together.
        threads: at most; each takes some of the images.
        rest: what most values are that the first layer is given.

    Attributes:
        memory: float32 values that each thread works in.
    """

    def __init__(
        self, groups: Sequence[Group], block: int, threads: int, rest: float = 0.0
    ) -> None:
        super().__init__()
        self._given, self._made = groups[0].given, groups[-1].made
        channels, rows, columns = shape_of(self._given)
        layers = [layer for group in groups for layer in group.layers]
        self._program = Program(layers, channels, (rows, columns), block, rest)
        self.memory = self._program.memory
        self._work = [torch.zeros(self._program.memory) for _ in range(threads)]

    def forward(self, images: Tensor) -> Tensor:
        """What the last layer gives for what the first is given, [N, ...], float32.

        Raises:
            ValueError: that is of another shape or type than what the net was tried with, or not in
                the processor's memory.
        """
        # A small net takes no longer than all that is around it: each step here is weighed.
        shape, work = images.shape, self._work
        if shape[1:] != self._given or images.dtype != torch.float32 or not images.is_cpu:
            expected = f"[N, {', '.join(map(str, self._given))}] in torch.float32 on cpu"
            said = f"{list(shape)} in {images.dtype} on {images.device}"
            raise ValueError(f"{said}: expected {expected}")
        count = shape[0]
        given = images.contiguous()
        made = torch.empty((count, *self._made))
        if len(work) == 1 or count <= self._program.block:
            self._program.run(given, made, 0, count, work[0])
        else:
            self._share(given, made, count)
        return made

    def _share(self, given: Tensor, made: Tensor, count: int) -> None:
        """Have each thread do some of the blocks."""
        block, run = self._program.block, self._program.run
        shares = min(len(self._work), -(-count // block))
        ends = [-(-count * it // (shares * block)) * block for it in range(shares + 1)]
        tasks = [
            _pool().submit(run, given, made, begin, min(end, count), work)
            for begin, end, work in zip(ends[1:-1], ends[2:], self._work[1:], strict=False)
        ]
        run(given, made, 0, min(ends[1], count), self._work[0])
        for task in tasks:
            task.result()


def with_chains(
    net: fx.GraphModule, groups: Sequence[Group], block: int, threads: int, rest: float = 0.0
) -> nn.Module:
    """A net that runs some of its layers by the kernels; `net` stays as it is and shares the rest.

    Args:
        net: see `simpler`.
        groups: the layers, in the order in which they are called.
        block: images that the kernels compute together.
        threads: that they may use.
        rest: what most values of the images are.
    """
    chains = chains_of(groups)
    ends = {chain[-1].nodes[-1]: chain for chain in chains}
    inside = {node for group in groups for node in group.nodes}
    graph, parts, made = fx.Graph(), _parts(net), dict[fx.Node, fx.Node]()
    for node in net.graph.nodes:
        if chain := ends.get(node):
            name = f"sparse_{len(parts)}"
            source = chain[0].source
            parts[name] = Chain(chain, block, threads, rest_at(source, rest))
            made[node] = graph.call_module(name, (made[source],))
        elif node not in inside:
            made[node] = graph.node_copy(node, made.__getitem__)
    whole = fx.GraphModule(parts, graph)
    only = list(whole.children()) if len(graph.nodes) == 3 else []
    return only[0] if only and isinstance(only[0], Chain) else whole


def rest_at(source: fx.Node, rest: float) -> float:
    """What most values are that a call gives: that of the images, or 0, as after a ReLU."""
    return rest if source.op == "placeholder" else 0.0


def alone(net: fx.GraphModule, group: Group) -> nn.Module:
    """The calls of a group as torch runs them, as a net of what the group reads."""
    graph = fx.Graph()
    made = {group.source: graph.placeholder("given")}
    for node in group.nodes:
        made[node] = graph.node_copy(node, made.__getitem__)
    graph.output(made[group.nodes[-1]])
    return fx.GraphModule(_parts(net), graph)


def _parts(net: fx.GraphModule) -> dict[str, object]:
    """What the calls of a net may name."""
    every = (net.named_modules(), net.named_parameters(), net.named_buffers())
    return {name: part for parts in every for name, part in parts if name}


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="sparse")
