"""The fastest form of a pruned net on this machine: each layer sparse or in torch, by measurement.

Dead units are removed first, see `core.graph.compaction`. Then everything is timed on the given
images: how many images the kernels take per pass, each layer in the kernels and in torch, and
finally the resulting nets and the dense one, which is used if none is faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any, TypeVar

import torch
from torch import Tensor, fx, nn

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.graph.compaction import compacted
from core.graph.tracing import Traced, UntraceableError, same_logits, trace
from core.inference.engines import run
from core.inference.sparse.groups import Group, groups_of
from core.inference.sparse.simpler import simpler
from core.system.timing import in_turns

K = TypeVar("K")

BLOCKS = (1, 4, 8, 16)
"""Images per pass of the kernels; the fastest number is found by measurement."""

SECONDS = 1.0
"""Approximate time for measuring, if the net itself is not slow."""

_SMALL = 1024**2
"""A layer with at most this many weights is tried whatever its sparsity."""

_ROOM = 16 * 1024**2
"""Largest workspace of a kernel thread with several images, in float32 values."""


@dataclass(frozen=True, eq=False)
class Faster:
    """A net with the same logits.

    Attributes:
        net: takes images [N, C, H, W] of the same size, any number; for evaluation only.
        sparse: the layers run by the kernels.
        layers: all layers the kernels could run.
        compacted: whether dead units were removed.
        block: images per pass of the kernels.
    """

    net: nn.Module
    sparse: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    compacted: bool = False
    block: int = 1


def faster(
    model: nn.Module,
    images: Tensor,
    threads: int = 1,
    seconds: float = SECONDS,
    stop: StopFlag = never,
) -> Stream[Faster]:
    """Find the fastest form of a pruned net on this machine.

    Args:
        model: left unchanged, except that it ends up in evaluation mode.
        images: a batch [N, C, H, W] of the size it should be fast for.
        threads: threads the kernels may use; torch uses its own setting.
        seconds: time for measuring.
        stop: checked between measurements.

    Raises:
        StoppedError: `stop` was raised.
    """
    model.eval()
    yield Progress("find dead units")
    try:
        dense, is_smaller = _traced(model, images)
        sizes = simpler(dense)
    except UntraceableError:
        return Faster(model)
    groups = tuple(it for it in groups_of(dense.net, sizes) if _may_pay(it))
    if not groups:
        return Faster(model)
    yield Progress("compile the kernels")
    trial = _Trial(model, dense.net, groups, images, threads, stop)
    found = yield from trial.found(seconds)
    return replace(found, compacted=is_smaller and found.net is not model)


def _traced(model: nn.Module, images: Tensor) -> tuple[Traced, bool]:
    """The net without its dead units if these can be told, and whether they can."""
    try:
        return trace(compacted(model, images[:3]), images[:3]), True
    except UntraceableError:
        return trace(model, images[:3]), False


def _may_pay(group: Group) -> bool:
    """Its nonzeros are few, or take little room to list."""
    weight = group.layer.weight
    return weight.size <= _SMALL or 2 * group.layer.nonzero <= weight.size


@dataclass(frozen=True, slots=True)
class _How:
    """How the kernels go through images: how many together, and `rest` of `Program`."""

    block: int
    rest: float | None = None


class _Trial:
    """Ways to run a net, timed on some images."""

    def __init__(
        self,
        model: nn.Module,
        dense: fx.GraphModule,
        groups: tuple[Group, ...],
        images: Tensor,
        threads: int,
        stop: StopFlag,
    ) -> None:
        from core.inference.sparse import chains

        self._chains = chains
        self._model, self._dense, self._groups = model, dense, groups
        self._images, self._threads, self._stop = images, threads, stop
        self._expected = run(model, images)
        self._rest = _most(images)

    def found(self, seconds: float) -> Stream[Faster]:
        """The fastest net; `seconds` is the approximate time for measuring."""
        sparse = {how: self._sparse(self._groups, self._threads, how) for how in self._hows()}
        fit = {how: net for how, net in sparse.items() if how.block == 1 or _room(net) <= _ROOM}
        right = self._right(fit)
        if not right:
            return Faster(self._model)
        how = yield from self._fastest("images per pass", right, seconds / 4)
        chosen = yield from self._faster_groups(how, seconds / 2)
        known = tuple(group.name for group in self._groups)
        found = [Faster(self._model), Faster(self._dense, layers=known)]
        with suppress(RuntimeError):  # a tensor that has no such layout
            found.append(Faster(_ChannelsLast(self._dense), layers=known))
        for groups in filter(None, dict.fromkeys((self._groups, chosen))):
            names = tuple(group.name for group in groups)
            # Handing work to other threads is not for nothing, least of all on a busy machine.
            for threads in {1, self._threads}:
                net = self._sparse(groups, threads, how)
                found.append(Faster(net, names, known, block=how.block))
        all_right = self._right({place: it.net for place, it in enumerate(found)})
        return found[(yield from self._fastest("whole nets", all_right, seconds / 4))]

    def _hows(self) -> list[_How]:
        """The candidate ways for the kernels to process the images."""
        each = -(-len(self._images) // self._threads)
        blocks = [it for it in BLOCKS if it == 1 or it <= each]
        return [_How(1, self._rest), *(_How(it) for it in blocks)]

    def _sparse(self, groups: tuple[Group, ...], threads: int, how: _How) -> nn.Module:
        return self._chains.with_chains(self._dense, groups, how.block, threads, how.rest)

    def _right(self, nets: Mapping[K, nn.Module]) -> dict[K, nn.Module]:
        """The nets with the model's logits."""
        return {key: net for key, net in nets.items() if self._gives(net)}

    def _gives(self, net: nn.Module) -> bool:
        try:
            return same_logits(run(net, self._images), self._expected)
        except Exception:  # a net's own code runs here, on another layout in memory
            return False

    def _faster_groups(self, how: _How, seconds: float) -> Stream[tuple[Group, ...]]:
        """The layers that are faster in the kernels, each with the calls fused into it."""
        given = _Given(self._dense, {group.source for group in self._groups})
        with torch.inference_mode():
            given.run(self._images)
        chosen = []
        for group in self._groups:
            values = given.values[group.source]
            rest = self._chains.rest_at(group.source, how.rest)
            ways = {
                "sparse": self._chains.Chain([group], how.block, self._threads, rest),
                "dense": self._chains.alone(self._dense, group),
            }
            part = seconds / len(self._groups)
            if (yield from self._fastest(group.name, ways, part, values)) == "sparse":
                chosen.append(group)
        return tuple(chosen)

    def _fastest(
        self, step: str, nets: Mapping[K, nn.Module], seconds: float, given: Tensor | None = None
    ) -> Stream[K]:
        """The key of the fastest net for the images, or for `given`."""
        images = self._images if given is None else given
        ways = {key: partial(run, net, images) for key, net in nets.items()}
        taken = {key: [0.0] for key in ways}
        for taken in in_turns(ways, seconds) if len(ways) > 1 else ():  # noqa: B007
            yield Progress(f"time {step}")
            if self._stop():
                raise StoppedError("stopped before any measurement finished")
        return min(ways, key=lambda key: median(taken[key]))


def _most(images: Tensor) -> float:
    """What most values of the first image are.

    It is 0 where that is far from all others: sums of what is left then lose their last places.
    """
    values = images[:1].flatten()
    if not len(values):
        return 0.0
    most = values.mode().values
    others = values[values != most]
    near = len(others) > 0 and bool(most.abs() <= others.abs().max())  # False of what is no number
    return float(most) if near else 0.0


def _room(net: nn.Module) -> int:
    """Values that a thread works in."""
    return max(getattr(module, "memory", 0) for module in net.modules())


class _ChannelsLast(nn.Module):
    """A net whose weights and images lie in memory with the channels innermost."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self._net = deepcopy(net).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """What the net gives."""
        made: Tensor = self._net(images.contiguous(memory_format=torch.channels_last))
        return made


class _Given(fx.Interpreter):
    """Runs a net and keeps copies of the results of some calls: later ones may write over them."""

    def __init__(self, net: fx.GraphModule, wanted: set[fx.Node]) -> None:
        super().__init__(net)
        self._wanted = wanted
        self.values: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Run one call."""
        result = super().run_node(n)
        if n in self._wanted:
            self.values[n] = result.clone()
        return result
