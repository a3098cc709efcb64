"""The running statistics of a net while its layers are pruned, one after another."""

from __future__ import annotations

import torch
from torch import nn

from core.data.batches import Images
from core.events import StopFlag, Stream, never
from core.graph.prefix_cache import NoPrefixCache, PrefixCache
from core.measure.recalibration import (
    CALL,
    SAMPLE_SEED,
    Recalibration,
    collecting,
    recalibrate,
    running_norms,
    sample_batches,
    set_statistics,
    statistics,
)
from core.nets.calls import evaluation_mode
from core.reconstruction.activations import Activations


class Norms:
    """The layers of a net that have running statistics.

    Its sample passes through the net once, with these layers in training, as in
    `core.measure.recalibration.recalibrate`: on the way to a layer it finds what `recalibrate`
    would for the layers it passes, whose inputs no longer change.

    Args:
        net: the net that is being pruned.
        cut: the same, with its cuts.
        data: the training images.
        most_bytes: memory for the values of an image.
    """

    def __init__(self, net: nn.Module, cut: PrefixCache, data: Images, most_bytes: float) -> None:
        self._net, self._cut, self._data = net, cut, data
        batches = sample_batches(data, SAMPLE_SEED)
        self._activations = Activations(cut, data, batches, most_bytes, CALL)

    def reach(self, name: str, step: str, stop: StopFlag) -> Stream[bool]:
        """Compute the statistics of the layers before `name`; returns whether there are any.

        Raises StoppedError if `stop` is raised; the statistics are then those from before.
        """
        if isinstance(self._cut, NoPrefixCache):
            return (yield from self.all(stop)) is not None
        norms = running_norms(evaluation_mode(self._net))
        before = statistics(norms)
        try:
            with collecting(norms) as counters, torch.no_grad():
                yield from self._activations.advance(name, step, stop, runs=True)
        except BaseException:
            set_statistics(norms, before)
            raise
        return any(counter.calls for counter in counters.values())

    def all(self, stop: StopFlag = never) -> Stream[Recalibration | None]:
        """Compute all statistics, from the images on."""
        return (yield from recalibrate(self._net, self._data, stop=stop))
