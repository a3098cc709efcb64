"""A sample of images on its way through a net: what is alive before the layer in turn is kept.

Each layer then costs the part of the net since the layer before it, not all of the net so far. The
values alive at a cut are kept if they fit into the memory allowed; if they do not, as with large
images, the sample goes on from the last cut where they did, or from the images themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream
from core.graph.prefix_cache import CutPoint, NoPrefixCache, PrefixCache, Values, rows_of
from core.graph.tracing import UntraceableError
from core.measure.evaluation import batch_size_for
from core.measure.points.statistics import is_followed
from core.nets.calls import EVALUATION, NetCall
from core.nets.layers import Layer

SAMPLE, SAMPLE_VALUES = 4_000, 150_000_000
"""Most training images that layers are reconstructed on, and most pixel values of theirs.

Those are 996 color images of 224 x 224, which have many rows in all but a net's last layers.
"""

_BATCH = 250
"""Most of them at once."""

MOST_BYTES = 1 << 30
"""Most memory for kept values: those of the net, of the dense one, and for running statistics."""


def sample_size(data: Images, most: int = SAMPLE) -> int:
    """How many training images layers are reconstructed on; fewer if they are large or few."""
    return min(most, len(data), max(1, SAMPLE_VALUES // max(1, data.values)))


def drawn(data: Images, images: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """A random sample of so many images, as indices of batches."""
    sample = torch.randperm(len(data), generator=generator)[:images]
    return torch.split(sample, batch_size_for(data, _BATCH))


def cut_net(
    net: nn.Module, layers: Sequence[Layer], norms: Mapping[str, _NormBase], some: Tensor
) -> PrefixCache:
    """A net with a cut before each layer; in one piece if torch.fx cannot follow it.

    `norms` are the layers whose running statistics are to be computed anew.
    """
    groups = {layer.name: [layer.key] for layer in layers}
    try:
        cut = PrefixCache(net, groups, some)
        return cut if is_followed(cut, net, norms) else NoPrefixCache(net, groups, some)
    except UntraceableError:
        return NoPrefixCache(net, groups, some)


@dataclass(eq=False)
class _Batch:
    """Images of the sample, and their values at a cut; None for the images themselves."""

    index: Tensor
    at: CutPoint
    values: Values | None = None


class Activations:
    """The values of a sample somewhere in a net.

    Args:
        net: where it is cut.
        data, batches: the images, and indices of each batch of the sample.
        most_bytes: memory for the values of an image.
        call: what a failure is said to be of.
    """

    def __init__(
        self,
        net: PrefixCache,
        data: Images,
        batches: Sequence[Tensor],
        most_bytes: float,
        call: str = EVALUATION,
    ) -> None:
        self._net, self._data, self._call, self._most_bytes = net, data, call, most_bytes
        self._batches = [_Batch(index, net.first()) for index in batches]

    def advance(self, name: str, step: str, stop: StopFlag, *, runs: bool = False) -> Stream[None]:
        """Go on to the cut before a layer, if what is alive there fits into memory.

        If `runs`, the part up to there runs in any case. Raises StoppedError if `stop` is raised.
        """
        end, fits = self._net.cuts[name], self.keeps(name)
        done, total = 0, sum(len(batch.index) for batch in self._batches)
        for batch in self._batches:
            if len(end.before) > len(batch.at.before) and (fits or runs):
                yield Progress(step, done, total, "images")
                if stop():
                    raise StoppedError("stopped before the layer was reached")
                with torch.no_grad(), NetCall(self._call):
                    values = self._net.advance(batch.at, self._values(batch), end)
                if fits:
                    batch.at, batch.values = end, values
            done += len(batch.index)

    def keeps(self, name: str) -> bool:
        """Whether what is alive before a layer fits into memory."""
        return self._net.bytes_at(self._net.cuts[name]) <= self._most_bytes

    def sizes(self) -> tuple[int, ...]:
        """How many images each batch has."""
        return tuple(len(batch.index) for batch in self._batches)

    def finish(self, number: int, rows: Tensor) -> None:
        """Run the rest of the net on some images of a batch, numbered within it."""
        batch = self._batches[number]
        values = self._values(batch)
        if len(rows) < len(batch.index):
            values = rows_of(batch.at, values, rows)
        self._net.complete(batch.at, values)

    def _values(self, batch: _Batch) -> Values:
        if batch.values is not None:
            return batch.values
        images, _ = self._data.batch(batch.index)
        return dict.fromkeys(batch.at.alive, images)
