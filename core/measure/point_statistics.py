"""Running statistics of a scan's points: one net, pruned in many ways, on one sample of images.

For every batch of the sample the dense net runs once, and the part after a cut once for each point,
as in the scan itself. Layers before the cut see what they see in the dense net, so they have its
statistics. The result is what `core.measure.recalibration.recalibrate` finds for each pruned net.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from core.graph.prefix_cache import NoPrefixCache, PrefixCache, Values
from core.measure.recalibration import (
    CALL,
    CallCounter,
    Statistics,
    collecting,
    set_statistics,
    statistics,
)
from core.nets.calls import NetCall

Buffers = dict[str, dict[str, Tensor]]


def is_followed(net: PrefixCache, model: nn.Module, norms: Mapping[str, _NormBase]) -> bool:
    """Whether every one of these layers is one call of the traced `net`.

    A layer of a class of one's own is traced into, and keeps the statistics it had then; of a layer
    that is called twice, one call may be before a cut and one after.
    """
    calls = Counter(
        id(model.get_submodule(str(node.target))) for node in net.calls if node.op == "call_module"
    )
    return all(calls[id(norm)] == 1 for norm in norms.values())


@dataclass(eq=False)
class Collected:
    """Statistics while they are collected: of the dense net, or of one point.

    Attributes:
        calls: how often each layer has been called.
    """

    buffers: Buffers
    calls: dict[str, int] = field(default_factory=dict)

    def over(self, dense: "Collected") -> Statistics:
        """These; those of the dense net for layers that were never called."""
        return {
            name: buffers if self.calls.get(name) else dense.buffers[name]
            for name, buffers in self.buffers.items()
        }


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
        self.dense = self.new()

    def new(self) -> Collected:
        """Statistics of nothing yet."""
        return Collected(
            {
                name: {key: value.clone() for key, value in buffers.items()}
                for name, buffers in self._fresh.items()
            }
        )

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
        set_statistics(self._norms, collected.buffers)  # which the layers update in place
        for name, counter in self._counters.items():
            counter.calls = collected.calls.get(name, 0)
        with torch.no_grad(), NetCall(CALL, images):
            yield
        collected.calls = {name: counter.calls for name, counter in self._counters.items()}


@contextmanager
def collecting_in_turn(
    model: nn.Module, net: PrefixCache, norms: Mapping[str, _NormBase]
) -> Iterator[Collector]:
    """A context in which a `Collector` has the layers in training."""
    with collecting(norms) as counters:
        yield Collector(model, net, norms, counters)
