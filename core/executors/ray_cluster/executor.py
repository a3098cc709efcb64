"""Trials on a Ray cluster.

A trial is a task that yields its messages, a streaming generator; Ray schedules it, brings the
messages back as they come, and says when a worker or its node is gone. Ray itself would retry a
task from its start, and its messages would not be the same, since batches are reported by the
clock. The driver therefore submits a lost trial again, with its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from time import monotonic
from typing import Any

from core.data.sending import images_key, read_images
from core.errors import InputError
from core.events import Progress, drain
from core.executors.packed import PackedNets, unpacked
from core.executors.ray_cluster.connection import first_line, node_versions, on_driver
from core.executors.ray_cluster.stop_list import StopList
from core.executors.ray_cluster.trials import (
    DriverSide,
    ImagesMissing,
    OtherVersions,
    Source,
    run_trial,
    source_of,
)
from core.executors.tasks import Done, Failed, Lost, Message, Task, on_worker
from core.jobs.net import Net
from core.nets.user_code.names import is_path, split_name
from core.nets.user_code.sources import source_texts

AHEAD = 64
"""Messages that a trial may be ahead of the driver before it waits."""

LOOK = 1.0
"""Seconds between two looks at the nodes of the cluster."""

ANSWER = 10.0
"""Seconds to wait until the list of trials to stop has taken one more."""


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a node that each trial gets.

    Attributes:
        cpus: processors, which may be a fraction.
        gpus: GPUs, or the share of one.
    """

    cpus: float = 1.0
    gpus: float = 0.0

    @property
    def threads(self) -> int:
        """The threads it computes with, unless its settings say how many."""
        return max(1, int(self.cpus))


class RayCluster:
    """An `Executor` that runs trials on a Ray cluster.

    Args:
        ray: the module, connected to the cluster; see `core.executors.ray_cluster.connection`.
        share: of a node, for each trial.

    Raises InputError if no node is large enough for a trial.

    Example:
        executor = RayCluster(connect("auto"), Share(cpus=4, gpus=1))
    """

    def __init__(self, ray: Any, share: Share) -> None:
        self._ray, self._share = ray, share
        self._streams: dict[Any, tuple[Task, Any]] = {}
        self._stops = self._ray.remote(StopList).options(**on_driver(ray)).remote()
        self._bases: PackedNets[Any] = PackedNets(ray.put)
        self._sides: dict[Source, DriverSide] = {}
        self._sources = cache(sent_sources)  # the same for all trials, whatever is edited meanwhile
        self._looked, self._slots = 0.0, 0
        self._check_share()
        # Ray ends a worker after a trial on a GPU: CUDA could not move to the GPU of the next one.
        self._trial = self._ray.remote(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            num_returns="streaming",
            max_retries=0,
            _generator_backpressure_num_objects=AHEAD,
        )(run_trial)

    @property
    def places(self) -> int:
        """How many tasks the nodes have room for now."""
        return max(1, self._slots_now())

    @property
    def room(self) -> int:
        """How many more trials the cluster has room for, and one that waits for the next one."""
        return self._slots_now() + 1 - len(self._streams)

    def submit(self, task: Task, base: Net) -> None:
        """Hand a task to Ray; the code of a user's own net goes with it.

        Raises InputError if the images or the code can no longer be read.
        """
        sources = self._sources(str(task.settings.get("model", "")))
        task = on_worker(replace(task, sources=sources), self._share.threads)
        self._start(task, self._bases.of(task.base, base))

    def stop(self, number: int) -> None:
        """Add a trial to the list that workers look at; without the list, cancel it."""
        try:
            self._ray.get(self._stops.add.remote(number), timeout=ANSWER)
        except self._ray.exceptions.RayError:  # its node is gone
            for stream in [s for s, (task, _) in self._streams.items() if task.number == number]:
                self._ray.cancel(stream, force=True)

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """What trials have sent, one message from each.

        Raises InputError if a node has joined that has other versions.
        """
        streams = list(self._streams)
        ready, _ = self._ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
        if not ready:
            ready, _ = self._ray.wait(streams, num_returns=1, timeout=seconds, fetch_local=False)
        return [(self._streams[stream][0].number, self._next(stream)) for stream in ready]

    def close(self) -> None:
        """Cancel the trials and leave the cluster."""
        for stream in self._streams:
            self._ray.cancel(stream, force=True)
        self._streams.clear()
        self._ray.shutdown()

    def _start(self, task: Task, base: Any) -> None:
        source = source_of(task)
        if source not in self._sides:
            self._sides[source] = DriverSide(node_versions(), drain(images_key(source[0])))
        stream = self._trial.remote(task, base, self._sides[source], self._stops)
        self._streams[stream] = task, base

    def _next(self, stream: Any) -> Message:
        """The next message of a trial; forgets the trial after its last one."""
        message = self._received(stream)
        if isinstance(message, OtherVersions):
            way = "install the same there, or take it out, and start the sweep again"
            raise InputError(f"{message.text}: results would differ; {way}")
        if isinstance(message, ImagesMissing):
            return self._send_images(*self._streams.pop(stream))
        if isinstance(message, Done | Failed | Lost):
            del self._streams[stream]
        return message

    def _received(self, stream: Any) -> Message | ImagesMissing | OtherVersions:
        errors = self._ray.exceptions
        try:
            return unpacked(self._ray.get(next(stream)))
        except StopIteration:
            return Lost("it ended without a result")
        except errors.RayError as error:
            return ending(error, errors)

    def _send_images(self, task: Task, base: Any) -> Message:
        """Start a trial again, with the images that its node lacks."""
        source = source_of(task)
        side = self._sides[source]
        try:
            if not side.files:
                files = self._ray.put(drain(read_images(*source)))
                self._sides[source] = replace(side, files=(files,))
        except InputError as error:
            return Failed.of(error)
        self._start(task, base)
        return Progress("sending the images")

    def _slots_now(self) -> int:
        """How many trials the nodes have room for; nodes come and go."""
        if monotonic() - self._looked > LOOK:
            self._looked, self._slots = monotonic(), sum(map(self._fitting, self._nodes()))
        return self._slots

    def _nodes(self) -> list[Mapping[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def _fitting(self, resources: Mapping[str, float]) -> int:
        """How many trials a node has room for."""
        asked = {"CPU": self._share.cpus, "GPU": self._share.gpus}
        return min(
            (int(resources.get(name, 0) / part + 1e-9) for name, part in asked.items() if part),
            default=1,
        )

    def _check_share(self) -> None:
        if self._slots_now() == 0:
            share = f"{self._share.cpus:g} CPUs and {self._share.gpus:g} GPUs"
            nodes = [f"{r.get('CPU', 0):g} and {r.get('GPU', 0):g}" for r in self._nodes()]
            raise InputError(
                f"no node of the cluster has {share} for a trial (they have {', '.join(nodes)}): "
                "lower --cpus-per-trial or --gpus-per-trial"
            )


def ending(error: Any, errors: Any) -> Failed | Lost:
    """What an error says of a trial: its own failure, or the loss of its worker.

    Args:
        error: of `ray.get`.
        errors: the module `ray.exceptions`.
    """
    cause = error.cause if isinstance(error, errors.RayTaskError) else error
    if cause is None or not isinstance(cause, errors.RayError):
        return Failed(first_line(cause or error))
    reason = f"{type(cause).__name__}: {first_line(cause)}"
    return Lost(reason, isinstance(cause, errors.NodeDiedError | errors.ObjectLostError))


def sent_sources(model: str) -> Mapping[str, str]:
    """The code of a net that the user names by its file; no other code travels.

    Raises InputError if it can no longer be read.
    """
    return source_texts(model) if is_path(split_name(model)[0]) else {}
