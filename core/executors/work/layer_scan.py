"""Layers of a net scanned: some of them by a worker, or all."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import StopFlag, Stream, never
from core.jobs import measurement
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.weights import Weights
from core.pruning.curves import SPLITS, Scan


@dataclass(frozen=True, slots=True)
class LayerScan:
    """What to scan, and on which images; see `core.jobs.measurement.scan`.

    Attributes:
        split: the images to measure on.
        sparsities: for each layer alone; None for the usual ones.
        uniform: for all layers together; may be empty.
        within: half-width of each confidence interval in points; None to measure on all images.
        layers: the names of those to scan alone, may be empty; None for all.
    """

    split: str = SPLITS[0]
    sparsities: tuple[float, ...] | None = None
    uniform: tuple[float, ...] = ()
    within: float | None = None
    layers: tuple[str, ...] | None = None

    def run(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[Scan]:
        """Scan a net as the work of a task."""
        return (yield from self.scan(workbench, net.weights, stop))

    def scan(self, workbench: Workbench, weights: Weights, stop: StopFlag = never) -> Stream[Scan]:
        """Scan in this process; raises as `core.jobs.measurement.scan` does."""
        return measurement.scan(
            workbench,
            weights,
            self.split,
            self.sparsities,
            self.uniform,
            self.within,
            stop,
            self.layers,
        )
