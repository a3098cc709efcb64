"""The fastest form of a pruned net on this machine, by measurement.

Dead units are removed first, see `core.graph.compaction`. Timings on the given images then choose
the number of images per pass of the kernels, kernels or torch for each layer, and finally a whole
net: the dense one if no other is faster.
"""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, fx, nn

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.graph.compaction import compacted
from core.graph.tracing import Traced, UntraceableError, same_logits, trace
from core.inference.engines import run
from core.inference.sparse.groups import Group, groups_of
from core.inference.sparse.simplify import simplify
from core.nets.calls import evaluation_mode
from core.system.timing import time_in_turns

K = TypeVar("K")

BLOCKS = (1, 4, 8, 16)
"""Images per pass of the kernels; the fastest number is found by measurement."""

SECONDS = 1.0
"""Approximate time for measuring, if the net itself is not slow."""

_SMALL_LAYER = 1024**2
"""A layer with at most this many weights is tried at any sparsity."""

_MAX_WORKSPACE = 16 * 1024**2
"""Largest workspace of a kernel thread with several images, in float32 values."""


@dataclass(frozen=True, eq=False)
class FasterNet:
    """A net with the same logits, and how it is run.

    `net` takes any number of images [N, C, H, W] of the same size; for evaluation only. The kernels
    run the layers `sparse`, out of those they support (`layers`), with `block` images per pass;
    `compacted` is whether dead units were removed.
    """

    net: nn.Module
    sparse: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    compacted: bool = False
    block: int = 1


def faster(
    model: nn.Module, images: Tensor, threads: int = 1, seconds: float = SECONDS,
    stop: StopFlag = never,
) -> Stream[FasterNet]:  # fmt: skip
    """Find the fastest form of a pruned net on this machine, in about `seconds`.

    It should be fast for batches like `images` [N, C, H, W]. `threads` are those the kernels may
    use; torch uses its own setting. The model is set to evaluation mode, otherwise unchanged.

    Raises:
        StoppedError: `stop` was raised, checked between measurements.
    """
    evaluation_mode(model)
    yield Progress("finding dead units")
    try:
        dense, is_smaller = _traced(model, images)
        sizes = simplify(dense)
    except UntraceableError:
        return FasterNet(model)
    groups = tuple(filter(is_worth_trying, groups_of(dense.net, sizes)))
    if not groups:
        return FasterNet(model)
    yield Progress("compiling the kernels")
    search = _Search(model, dense.net, groups, images, threads, stop)
    net = yield from search.fastest(seconds)
    return replace(net, compacted=is_smaller and net.net is not model)


def _traced(model: nn.Module, images: Tensor) -> tuple[Traced, bool]:
    """The traced net without its dead units if possible, and whether it was."""
    try:
        return trace(compacted(model, images[:3]), images[:3]), True
    except UntraceableError:
        return trace(model, images[:3]), False


def is_worth_trying(group: Group) -> bool:
    """Whether the layer is small, or sparse enough to gain from the kernels."""
    weight = group.layer.weight
    return weight.size <= _SMALL_LAYER or 2 * int(np.count_nonzero(weight)) <= weight.size


class _KernelOptions(NamedTuple):
    """Images per pass of the kernels, and `background` of `Program`."""

    block: int
    background: float | None = None


@dataclass(frozen=True, eq=False)
class _Search:
    """The forms of a net, timed on some images."""

    model: nn.Module
    dense: fx.GraphModule
    groups: tuple[Group, ...]
    images: Tensor
    threads: int
    stop: StopFlag

    def fastest(self, seconds: float) -> Stream[FasterNet]:
        """Find the fastest net in about `seconds`."""
        share = -(-len(self.images) // self.threads)
        blocks = [block for block in BLOCKS if block == 1 or block <= share]
        options = [_KernelOptions(1, most_frequent(self.images)), *map(_KernelOptions, blocks)]
        sparse = {option: self._sparse(self.groups, self.threads, option) for option in options}
        fitting = {option: net for option, net in sparse.items() if option.block == 1 or _fits(net)}
        correct = self._correct(fitting)
        if not correct:
            return FasterNet(self.model)
        best = yield from self._fastest("images per pass", correct, self.images, seconds / 4)
        chosen = yield from self._faster_groups(best, seconds / 2)
        known = tuple(group.name for group in self.groups)
        nets = [FasterNet(self.model), FasterNet(self.dense, layers=known)]
        with suppress(RuntimeError):  # some tensors have no such layout
            nets.append(FasterNet(_ChannelsLast(self.dense), layers=known))
        for groups in filter(None, dict.fromkeys((self.groups, chosen))):
            names = tuple(group.name for group in groups)
            # Threads cost time to start, especially on a busy machine.
            for threads in {1, self.threads}:
                net = self._sparse(groups, threads, best)
                nets.append(FasterNet(net, names, known, block=best.block))
        candidates = self._correct({place: form.net for place, form in enumerate(nets)})
        return nets[(yield from self._fastest("whole nets", candidates, self.images, seconds / 4))]

    def _sparse(
        self, groups: tuple[Group, ...], threads: int, options: _KernelOptions
    ) -> nn.Module:
        from core.inference.sparse.chains import with_chains

        return with_chains(self.dense, groups, options.block, threads, options.background)

    def _correct(self, nets: Mapping[K, nn.Module]) -> dict[K, nn.Module]:
        """The nets that reproduce the model's logits."""
        expected, correct = run(self.model, self.images), dict[K, nn.Module]()
        for key, net in nets.items():
            with suppress(Exception):  # the net's own code runs here, on another memory layout
                if same_logits(run(net, self.images), expected):
                    correct[key] = net
        return correct

    def _faster_groups(self, options: _KernelOptions, seconds: float) -> Stream[tuple[Group, ...]]:
        """The layers that are faster in the kernels, each with the calls fused into it."""
        from core.inference.sparse.chains import Chain, background_at, group_net

        recorder = InputRecorder(self.dense, {group.source for group in self.groups})
        with torch.inference_mode():
            recorder.run(self.images)
        chosen = []
        for group in self.groups:
            background = background_at(group.source, options.background)
            nets = {
                "sparse": Chain([group], options.block, self.threads, background),
                "dense": group_net(self.dense, group),
            }
            inputs, part = recorder.values[group.source], seconds / len(self.groups)
            if (yield from self._fastest(group.name, nets, inputs, part)) == "sparse":
                chosen.append(group)
        return tuple(chosen)

    def _fastest(
        self, step: str, nets: Mapping[K, nn.Module], inputs: Tensor, seconds: float
    ) -> Stream[K]:
        """The key of the net that is fastest for `inputs`."""
        runs = {key: partial(run, net, inputs) for key, net in nets.items()}
        times = {key: [0.0] for key in runs}
        for times in time_in_turns(runs, seconds) if len(runs) > 1 else ():  # noqa: B007
            yield Progress(f"timing {step}")
            if self.stop():
                raise StoppedError("stopped before any measurement finished")
        return min(runs, key=lambda key: median(times[key]))


def most_frequent(images: Tensor) -> float:
    """The most frequent value of the first image.

    0 if it exceeds all others in magnitude: subtracting it would then cost precision.
    """
    values = images[:1].flatten()
    if not len(values):
        return 0.0
    background = values.mode().values
    others = values[values != background]
    is_safe = len(others) > 0 and bool(background.abs() <= others.abs().max())  # not with NaN
    return float(background) if is_safe else 0.0


def _fits(net: nn.Module) -> bool:
    """Whether the workspace of a thread is small enough."""
    return max(getattr(module, "memory", 0) for module in net.modules()) <= _MAX_WORKSPACE


class _ChannelsLast(nn.Module):
    """A net in torch's memory format channels_last."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self._net = deepcopy(net).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self._net(images.contiguous(memory_format=torch.channels_last))
        return output


class InputRecorder(fx.Interpreter):
    """Runs a net and copies the results of some calls, which later calls may overwrite."""

    def __init__(self, net: fx.GraphModule, recorded: set[fx.Node]) -> None:
        super().__init__(net)
        self._recorded = recorded
        self.values: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Run a call, and copy its result if it is recorded."""
        result = super().run_node(n)
        if n in self._recorded:
            self.values[n] = result.clone()
        return result
