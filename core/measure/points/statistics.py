"""Running statistics of a scan's points: one net, pruned in many ways, on one sample of images.

For every batch of the sample the dense net runs once, if its values fit into memory, and the part
after a cut once for each point, as in the scan itself. Layers before the cut see what they see in
the dense net, so they have its statistics. The result is what
`core.measure.recalibration.recalibrate` finds for each pruned net.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream
from core.graph.prefix_cache import NoPrefixCache, PrefixCache, Values
from core.measure.recalibration import (
    CALL,
    RECALIBRATING,
    CallCounter,
    Statistics,
    collecting,
    set_statistics,
    statistics,
)
from core.nets.calls import NetCall

MOST_BYTES = 512 << 20
"""Memory for the values at the cuts of the whole sample; what takes more is computed again."""


def is_followed(net: PrefixCache, model: nn.Module, norms: Mapping[str, _NormBase]) -> bool:
    """Whether each of these layers is one call of the traced `net`, or not called at all.

    A layer of a class of one's own is traced into, and keeps the statistics it had then; of a layer
    that is called twice, one call may be before a cut and one after.
    """
    read = {str(node.target) for node in net.calls if node.op == "get_attr"}
    traced_into = any(f"{name}.running_mean" in read for name in norms)
    calls = Counter(
        id(model.get_submodule(str(node.target))) for node in net.calls if node.op == "call_module"
    )
    return not traced_into and all(calls[id(norm)] <= 1 for norm in norms.values())


@dataclass(eq=False)
class Collected:
    """Statistics while they are collected: of the dense net, or of one point.

    Attributes:
        buffers: of the layers that have been called.
        calls: how often.
    """

    buffers: Statistics = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)


class Collector:
    """Collects statistics of several nets in turn, inside of `collecting_in_turn`."""

    def __init__(
        self,
        model: nn.Module,
        net: PrefixCache,
        norms: Mapping[str, _NormBase],
        counters: Mapping[str, CallCounter],
    ) -> None:
        self._model, self._net, self._norms, self._counters = model, net, norms, counters
        self._fresh = statistics(norms)
        self.dense = Collected()

    def start(self, images: Tensor) -> Values:
        """Run the dense net; returns the values alive at any of the cuts."""
        with self._into(self.dense, images):
            if isinstance(self._net, NoPrefixCache):
                self._model(images.clone())  # it may write into its input
            return self._net.start(images)

    def finish(self, name: str, alive: Values, point: Collected, images: Tensor) -> None:
        """Run the part after the cut of group `name` for a point whose weights are in place."""
        with self._into(point, images):
            self._net.finish(name, alive)

    @contextmanager
    def _into(self, collected: Collected, images: Tensor) -> Iterator[None]:
        buffers = {
            name: collected.buffers.get(name) or _copied(fresh)
            for name, fresh in self._fresh.items()
        }
        set_statistics(self._norms, buffers)  # which the layers update in place
        for name, counter in self._counters.items():
            counter.calls = collected.calls.get(name, 0)
        with torch.no_grad(), NetCall(CALL, images):
            yield
        calls = {name: counter.calls for name, counter in self._counters.items()}
        collected.calls = {name: number for name, number in calls.items() if number}
        collected.buffers = {name: buffers[name] for name in collected.calls}


@contextmanager
def collecting_in_turn(
    model: nn.Module, net: PrefixCache, norms: Mapping[str, _NormBase]
) -> Iterator[Collector]:
    """A context in which a `Collector` has the layers in training."""
    with collecting(norms) as counters:
        yield Collector(model, net, norms, counters)


class PointStatistics:
    """The running statistics of a scan's points, computed for one group of layers after another.

    Args:
        model: the net; between calls, its layers have no particular statistics.
        net: the same, with its cuts.
        norms: the layers with running statistics.
        train, batches: the images, and indices of each batch of the sample.
        stop: checked before every run.

    Attributes:
        dense: the statistics of the dense net.
        images: in the sample.
    """

    def __init__(
        self,
        model: nn.Module,
        net: PrefixCache,
        norms: Mapping[str, _NormBase],
        train: Images,
        batches: Sequence[Tensor],
        stop: StopFlag,
    ) -> None:
        self._model, self._net, self._norms = model, net, norms
        self._train, self._batches, self._stop = train, batches, stop
        self.dense: Statistics = statistics(norms)
        self.images = sum(map(len, batches))
        self._kept: list[Values] = []

    def start(self) -> Stream[None]:
        """Compute those of the dense net; raises StoppedError."""
        keeps, done = self.images * self._net.bytes_per_image <= MOST_BYTES, 0
        with collecting_in_turn(self._model, self._net, self._norms) as collector:
            for index in self._batches:
                yield self._progress(done, 1)
                values = collector.start(self._batch(index))
                self._kept += [values] if keeps else []
                done += len(index)
        self.dense = {**self.dense, **collector.dense.buffers}

    def of_group(
        self, name: str, points: Sequence[Callable[[], AbstractContextManager[None]]]
    ) -> Stream[list[Statistics]]:
        """Compute those of each point of a group, whose contexts set its weights.

        Raises StoppedError.
        """
        collected, done = [Collected() for _ in points], 0
        with collecting_in_turn(self._model, self._net, self._norms) as collector:
            for number, index in enumerate(self._batches):
                images = self._batch(index)
                values = self._kept[number] if self._kept else collector.start(images)
                alive = self._net.alive(name, values)
                for point, pruned in zip(collected, points, strict=True):
                    yield self._progress(done, len(points))
                    with pruned():
                        collector.finish(name, alive, point, images)
                    done += len(index)
        return [{**self.dense, **point.buffers} for point in collected]

    def _batch(self, index: Tensor) -> Tensor:
        return self._train.batch(index)[0]

    def _progress(self, done: int, points: int) -> Progress:
        if self._stop():
            raise StoppedError("stopped before the statistics were computed")
        return Progress(RECALIBRATING, done, points * self.images, "images")


def _copied(buffers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in buffers.items()}
