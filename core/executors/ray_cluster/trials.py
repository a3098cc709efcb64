"""What runs on a node of a Ray cluster: a trial, on images that the node has or receives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname
from typing import Any

from core.data.sending import ImagesPlace, find_images, keep_images
from core.errors import InputError, WorkError
from core.events import drain
from core.executors.packed import Packed, PackedNet, packed
from core.executors.ray_cluster.connection import fetched, node_versions, other_versions
from core.executors.ray_cluster.stop_list import ListedStop
from core.executors.runner import TaskRunner
from core.executors.tasks import Failed, Task
from core.settings.settings import DEFAULTS

Source = tuple[str, Path | None]
"""The data set and the data folder of a task, as the user names them."""


@dataclass(frozen=True, slots=True)
class DriverSide:
    """What a node needs to know of the driver.

    Attributes:
        versions: see `connection.node_versions`.
        images: what tells the driver's images from others, see `core.data.sending`.
        files: a reference to them, once a node has asked for them. Ray fetches what is an argument
            by itself; in a tuple, it leaves that to the node.
    """

    versions: Mapping[str, str]
    images: str
    files: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ImagesMissing:
    """The node lacks the images."""


@dataclass(frozen=True, slots=True)
class OtherVersions:
    """The node, which has joined later, has other versions than the driver."""

    text: str


NodeMessage = Packed | ImagesMissing | OtherVersions
"""What comes from a node; the last two come alone."""

_RUNNER = TaskRunner()
"""Of this process, which Ray uses for one trial after another."""

_PLACES: dict[Source, ImagesPlace] = {}
"""Where this process has found images."""


def run_trial(task: Task, base: PackedNet, driver: DriverSide, stops: Any) -> Iterator[NodeMessage]:
    """Run a trial on this node, until it is on the list of `stops`."""
    if different := other_versions(node_versions(), driver.versions):
        yield OtherVersions(f"node {gethostname()} has {different}")
        return
    try:
        place = _place(source_of(task), driver)
    except (InputError, WorkError) as error:
        yield Failed(f"node {gethostname()}: {error}")
        return
    if place is None:
        yield ImagesMissing()
    else:
        stop = ListedStop(stops, task.number)
        yield from packed(_RUNNER.run(_with_images(task, place), base, stop))


def source_of(task: Task) -> Source:
    """Where the driver has the images of a task; other settings need not be valid here."""
    dataset, folder = (task.settings.get(name) for name in ("dataset", "data_dir"))
    return dataset or DEFAULTS.dataset, Path(folder) if folder else None


def _place(source: Source, driver: DriverSide) -> ImagesPlace | None:
    """Where this node has the images; None if it lacks them and they have not been sent."""
    if source not in _PLACES:
        place = drain(find_images(*source, driver.images))
        if place is None and driver.files:
            (files,) = driver.files
            place = drain(keep_images(source[0], driver.images, lambda: fetched(files)))
        if place is None:
            return None
        _PLACES[source] = place
    return _PLACES[source]


def _with_images(task: Task, place: ImagesPlace) -> Task:
    """A task with the images where this node has them."""
    settings = {**task.settings, "dataset": place.dataset}
    settings.pop("data_dir", None)
    if place.data_dir is not None:
        settings["data_dir"] = str(place.data_dir)
    return replace(task, settings=settings)
