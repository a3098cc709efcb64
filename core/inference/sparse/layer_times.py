"""How long each layer of a net takes on this machine, by the weights it keeps.

The times are those of the engine `sparse`, for one image: a layer runs in the kernels or in torch,
whichever is faster. Each layer is timed alone, on what the dense net feeds it, pruned by magnitude
to a few sparsities. Whole nets in which all layers have the same sparsity then say what the layers
take together: the weights of a large net do not stay in the processor's cache from image to image,
so all times grow by a factor; and there is a rest, which no plan saves. The rest may be less than
nothing, because adjacent layers share one call.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter, thread_time
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import InputError, StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.graph.tracing import UntraceableError, trace
from core.inference.engines import run
from core.inference.sparse.chains import Chain, background_at, group_net, with_chains
from core.inference.sparse.groups import Group, groups_of
from core.inference.sparse.net import InputRecorder, is_worth_trying, most_frequent
from core.inference.sparse.simplify import simplify
from core.nets.calls import evaluation_mode
from core.nets.layers import Layer
from core.pruning.budgets.costs import LayerCosts, NetCosts
from core.pruning.plans import prune_count
from core.system.timing import Alternative, time_in_turns

K = TypeVar("K")

SPARSITIES = (0.0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0)
"""The sparsities at which layers are timed; in between, time is linear in the weights kept."""

SECONDS = 8.0
"""Approximate time for measuring; a net of many layers takes longer."""

_NANO = 1e9
_CLEAR = 0.1
"""The share of a whole net's time by which sums of layers must differ to have a factor."""

_FACTORS = 0.25, 4.0
"""The least and the largest plausible factor."""

_UNSUPPORTED = "pruning does not make this net faster here"


def time_layers(
    pruned: Callable[[float], nn.Module],
    layers: Sequence[Layer],
    image: Tensor,
    threads: int,
    seconds: float | None = None,
    stop: StopFlag = never,
) -> Stream[NetCosts]:
    """Time the layers of a net at several sparsities, in nanoseconds.

    Args:
        pruned: the net with all layers at a sparsity, on the CPU; called once for each.
        layers: its prunable layers. One that the kernels do not support is part of the rest.
        image: [1, C, H, W].
        threads: those the kernels may use, and torch is set to.
        seconds: approximately, by default `SECONDS`; every turn takes at least 20 ms.
        stop: checked between measurements.

    Raises:
        InputError: the kernels support no layer, so that pruning does not make the net faster.
        StoppedError: `stop` was raised.
    """
    dense = _Form(pruned(0.0), image, threads)
    inputs, groups = dense.inputs(), dense.groups
    yield Progress("compiling the kernels")
    clock = _Clock((1 + len(SPARSITIES)) * len(groups) + 3 * len(SPARSITIES), threads, stop)
    share = (SECONDS if seconds is None else seconds) / (1 + len(SPARSITIES))
    in_torch = yield from clock.times(dense.in_torch(inputs), share)
    points: dict[str, dict[float, float]] = {group.name: {} for group in groups}
    sums, wholes = [], []
    for sparsity in SPARSITIES:
        form = dense if sparsity == 0 else _Form(pruned(sparsity), image, threads)
        in_kernels = yield from clock.times(form.in_kernels(inputs), share)
        best = {place: min(in_kernels.get(place, time), time) for place, time in in_torch.items()}
        faster = [place for place, time in in_kernels.items() if time < in_torch[place]]
        whole = yield from clock.times(form.whole(faster), share / 2)
        sums.append(sum(best.values()))
        wholes.append(min(whole.values()))
        for place, time in best.items():  # a layer may be called several times
            times = points[groups[place].name]
            times[sparsity] = times.get(sparsity, 0.0) + time
    return _costs(layers, points, *calibrated(sums, wholes))


def calibrated(sums: Sequence[float], wholes: Sequence[float]) -> tuple[float, float]:
    """The factor and the rest by which the layers' times alone become those of whole nets.

    A straight line through the whole nets that is closest by relative errors; only shifted if the
    sums barely differ.

    Args:
        sums: the layers' times alone, added up, of each net.
        wholes: the times of the whole nets, in the same unit.

    Examples:
        >>> calibrated([1.0, 2.0, 4.0], [2.5, 4.5, 8.5])
        (2.0, 0.5)
    """
    factor, (least, most) = 1.0, _FACTORS
    if max(sums) - min(sums) > _CLEAR * min(wholes):
        slope, _ = np.polyfit(sums, wholes, 1, w=1 / np.array(wholes))
        factor = round(min(max(float(slope), least), most), 6)
    rests = [whole - factor * alone for alone, whole in zip(sums, wholes, strict=True)]
    return factor, float(np.average(rests, weights=1 / np.square(wholes)))


def _costs(
    layers: Sequence[Layer], points: Mapping[str, Mapping[float, float]], factor: float, rest: float
) -> NetCosts:
    """The costs of all layers, in nanoseconds, from times in seconds."""
    costs = {}
    for layer in layers:
        times, size = dict[int, float](), layer.elements
        for sparsity, time in points.get(layer.name, {0.0: 0.0, 1.0: 0.0}).items():
            kept = size - prune_count(sparsity, size)
            times[kept] = min(times.get(kept, time), time)
        scaled = ((kept, _NANO * factor * time) for kept, time in times.items())
        costs[layer.name] = LayerCosts.measured(scaled)
    # Empty layers in one call take less than apart, but not less than no time.
    least = -sum(layer.costs[0] for layer in costs.values())
    return NetCosts("ns", costs, max(_NANO * rest, least))


class _Clock:
    """Times alternatives in turns, and counts them."""

    def __init__(self, total: int, threads: int, stop: StopFlag) -> None:
        self._done, self._total, self._stop = 0, total, stop
        # A single thread's own time is the same on a busy machine.
        self._clock = thread_time if threads == 1 else perf_counter

    def times(self, runs: Mapping[K, Alternative], seconds: float) -> Stream[dict[K, float]]:
        """The seconds of the fastest run of each: other programs only ever slow a run down."""
        times: dict[K, list[float]] = {}
        for turn, times in enumerate(time_in_turns(runs, seconds, self._clock) if runs else ()):  # noqa: B007
            done = self._done + min(turn, len(runs))
            yield Progress("timing the layers", min(done, self._total), self._total, "times")
            if self._stop():
                raise StoppedError("stopped before every layer was timed")
        self._done += len(runs)
        return {key: min(times[key]) for key in runs}


class _Form:
    """A net at one sparsity, and the groups that the kernels support, by their places."""

    def __init__(self, model: nn.Module, image: Tensor, threads: int) -> None:
        self._model, self._image, self._threads = evaluation_mode(model), image, threads
        self._background = most_frequent(image)
        try:
            traced = trace(model, image.expand(3, *image.shape[1:]).clone())
        except UntraceableError as error:
            raise InputError(f"{_UNSUPPORTED}: {error}") from error
        self._net, sizes = traced.net, simplify(traced)
        self.groups = tuple(groups_of(self._net, sizes))
        if not self.groups:
            raise InputError(f"{_UNSUPPORTED}: the kernels support none of its layers")

    def inputs(self) -> list[Tensor]:
        """What each group reads."""
        recorder = InputRecorder(self._net, {group.source for group in self.groups})
        with torch.inference_mode():
            recorder.run(self._image)
        return [recorder.values[group.source] for group in self.groups]

    def in_torch(self, inputs: Sequence[Tensor]) -> dict[int, Alternative]:
        """Each group run by torch."""
        return {
            place: partial(run, group_net(self._net, group), inputs[place])
            for place, group in enumerate(self.groups)
        }

    def in_kernels(self, inputs: Sequence[Tensor]) -> dict[int, Alternative]:
        """Each group run by the kernels, but for those that are certainly slower there."""
        return {
            place: partial(run, self._chain(group), inputs[place])
            for place, group in enumerate(self.groups)
            if is_worth_trying(group)
        }

    def _chain(self, group: Group) -> nn.Module:
        background = background_at(group.source, self._background)
        return Chain([group], 1, self._threads, background)

    def whole(self, places: Sequence[int]) -> dict[str, Alternative]:
        """The whole net in torch, and with some groups in the kernels."""
        nets = {"torch": self._model, "simplified": self._net}
        if chosen := [self.groups[place] for place in places]:
            nets["kernels"] = with_chains(self._net, chosen, 1, self._threads, self._background)
        return {name: partial(run, net, self._image) for name, net in nets.items()}
