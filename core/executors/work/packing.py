"""A net in its smallest compact file."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import StopFlag, Stream
from core.jobs.export import SmallFile, small_file
from core.jobs.net import Net
from core.jobs.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Packing:
    """Find the fewest values for the file of a net; see `core.jobs.export.small_file`.

    Attributes:
        least: the required validation accuracy in percent.
    """

    least: float

    def run(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[SmallFile]:
        """Pack the net; raises StoppedError if `stop` is raised."""
        return (yield from small_file(workbench, net.weights, self.least, stop=stop))
