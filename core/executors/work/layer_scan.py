"""Some layers of a net scanned."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import StopFlag, Stream
from core.jobs import measurement
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.pruning.curves import Scan


@dataclass(frozen=True, slots=True)
class LayerScan:
    """Scan some layers alone, and all layers together; see `core.jobs.measurement.scan`.

    Attributes:
        layers: the names of those to scan alone; may be empty.
        sparsities: for each of them.
        uniform: for all layers together; may be empty.
    """

    layers: tuple[str, ...]
    split: str
    sparsities: tuple[float, ...]
    uniform: tuple[float, ...] = ()
    within: float | None = None

    def run(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[Scan]:
        """Scan the layers; raises as `core.jobs.measurement.scan` does."""
        return (
            yield from measurement.scan(
                workbench,
                net.weights,
                self.split,
                self.sparsities,
                self.uniform,
                self.within,
                stop,
                self.layers,
            )
        )
