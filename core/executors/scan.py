"""A sensitivity scan whose layers go to workers, in portions: they do not depend on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from core.errors import StoppedError
from core.events import Accuracy, Event, Notice, Progress, StopFlag, Stream, never, relayed
from core.executors.assignment import Assignment
from core.executors.driver import Driver, attended
from core.executors.side_by_side import Waiting, side_by_side
from core.executors.tasks import Executor, Task, plain_settings
from core.executors.work.layer_scan import LayerScan
from core.jobs.measurement import scan_sparsities
from core.jobs.workbench import Workbench
from core.nets.weights import Weights
from core.pruning.curves import SPLITS, Point, PointScanned, Scan, ScanUpdated, check_split

PORTIONS = 3
"""Portions for each place, so that places that are done early get another one."""


def scan_on(
    executor: Executor,
    workbench: Workbench,
    weights: Weights,
    wanted: LayerScan,
    stop: StopFlag = never,
) -> Stream[Scan]:
    """Scan all layers as `wanted.scan` does, with the same points, by `executor`.

    The executor is closed at the end. Each portion runs the dense net once more on every image.

    Raises InputError and WorkError as that does.

    Example:
        scan = drain(scan_on(Processes(4, threads=1), workbench, net.weights, LayerScan()))
    """
    check_split(wanted.split)
    data, precision = yield from workbench.prepared(stop)
    workbench = workbench.with_settings(replace(workbench.settings, precision=precision))
    net = workbench.net_of(weights, Accuracy(0.0, 0.0))  # a scan measures its accuracy itself
    driver, settings = Driver(executor), plain_settings(workbench.settings)
    works = _works(wanted, workbench.layer_names, PORTIONS * driver.places)
    tasks = [Task(next(driver.numbers), settings, net.digest, work) for work in works]
    images = len(data.validation if wanted.split == SPLITS[0] else data.test)
    whole = _Whole(_unseen(workbench, wanted, images), works)
    runs = [driver.run(Assignment[Scan](task, net), stop) for task in tasks]
    streams = [whole.followed(place, run) for place, run in enumerate(runs)]
    yield Progress("waiting for workers")
    yield from attended(side_by_side(streams), driver)
    return whole.scan


def _works(wanted: LayerScan, names: Sequence[str], most: int) -> list[LayerScan]:
    """The portions of a scan: all layers together, which takes longest; then each layer alone."""
    together = [replace(wanted, layers=())] if wanted.uniform else []
    alone = replace(wanted, uniform=())
    return together + [replace(alone, layers=layers) for layers in _portions(names, most)]


def _portions(names: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """Layers in their order, in at most so many portions that take about equally long.

    A layer takes as long as the part of the net from it on.

    Example:
        >>> list(_portions("abcde", 3))
        [('a',), ('b', 'c'), ('d', 'e')]
    """
    count = len(names)
    each = sum(range(1, count + 1)) / max(1, most)
    portion, taken, ended = list[str](), 0.0, 0
    for place, name in enumerate(names):
        portion.append(name)
        taken += count - place
        if taken >= each * (ended + 1) - 1e-9 or place == count - 1:
            yield tuple(portion)
            portion, ended = [], int(taken / each + 1e-9)


def _unseen(workbench: Workbench, wanted: LayerScan, images: int) -> Scan:
    """The scan before any image was measured; it counts as stopped."""
    usual = scan_sparsities(workbench) if wanted.sparsities is None else wanted.sparsities
    layers = {name: tuple(map(Point, usual)) for name in workbench.layer_names}
    uniform, precision = tuple(map(Point, wanted.uniform)), workbench.settings.precision
    unseen = Scan(wanted.split, images, layers, uniform, precision, traced=True, stopped=True)
    return replace(unseen, repair=workbench.repair)


@dataclass(eq=False)
class _Whole:
    """What portions add up to; `scan` is the scan so far, which counts as stopped until the end."""

    scan: Scan
    works: Sequence[LayerScan]

    def __post_init__(self) -> None:
        self._ended = 0

    def followed(self, place: int, stream: Stream[Scan]) -> Stream[None]:
        """Run a portion; its part of the scan is added as it grows, also if it is stopped."""
        with suppress(StoppedError):
            part = yield from relayed(stream, lambda event: self._told(place, event))
            self._ended += 1
            self._add(place, part)
            yield ScanUpdated(self.scan)

    def _told(self, place: int, event: Event) -> Iterator[Event]:
        match event:
            case Waiting() | Notice():
                yield event
            case ScanUpdated() | PointScanned():
                self._add(place, event.scan)
                yield self._progress()

    def _add(self, place: int, part: Scan) -> None:
        work, whole = self.works[place], self.scan
        self.scan = replace(
            whole,
            layers={**whole.layers, **part.layers},
            uniform=part.uniform if work.uniform else whole.uniform,
            precision=part.precision,
            traced=whole.traced and part.traced,
            stopped=self._ended < len(self.works),
        )

    def _progress(self) -> Progress:
        if self.works[0].within is not None:
            return Progress("scanning a growing sample", self._ended, len(self.works), "portions")
        points = list(self.scan.points())
        seen = sum(point.images for point in points)
        return Progress("scanning", seen, len(points) * self.scan.images, "images")
