"""Trials on a Ray cluster.

A trial is a task that yields its messages, a streaming generator; Ray schedules it, brings the
messages back as they come, and says when a worker or its node is gone. Ray itself would retry a
task from its start, and its messages would not be the same, since batches are reported by the
clock. The driver therefore submits a lost trial again, with its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from core.errors import InputError
from core.executors.packed import Packed, PackedNet, PackedNets, packed, unpacked
from core.executors.ray_connection import first_line
from core.executors.runner import TaskRunner
from core.executors.tasks import Done, Failed, Lost, Message, Task, on_worker
from core.jobs.net import Net
from core.nets.user_code.names import is_path, split_name
from core.nets.user_code.sources import source_texts

AHEAD = 64
"""Messages that a trial may be ahead of the driver before it waits."""

LOOK = 1.0
"""Seconds between two looks at the nodes of the cluster, and at the trials to stop."""

ANSWER = 10.0
"""Seconds for the list of trials to stop to take one more."""

_RUNNER = TaskRunner()
"""Of a worker's process, which Ray uses for one trial after another."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a trial gets of a node."""

    cpus: float = 1.0
    gpus: float = 0.0

    @property
    def threads(self) -> int:
        """The threads it computes with, unless the settings say."""
        return max(1, int(self.cpus))


class RayCluster:
    """An `Executor` that runs trials on a Ray cluster.

    Args:
        ray: the module, connected to the cluster; see `core.executors.ray_connection`.
        share: of a node, for each trial.

    Raises InputError if no node is large enough for a trial.
    """

    def __init__(self, ray: Any, share: Share) -> None:
        self._ray, self._share = ray, share
        self._streams: dict[Any, int] = {}
        self._stops = self._ray.remote(StopList).options(num_cpus=0).remote()
        self._bases: PackedNets[Any] = PackedNets(ray.put)
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
        """Hand a task to Ray; the code of a user's own net goes with it."""
        model = str(task.settings.get("model", ""))
        if is_path(split_name(model)[0]):
            task = replace(task, sources=source_texts(model))
        task = on_worker(task, self._share.threads)
        stream = self._trial.remote(task, self._bases.of(task.base, base), self._stops)
        self._streams[stream] = task.number

    def stop(self, number: int) -> None:
        """Add a trial to the list that workers look at; without the list, cancel it."""
        try:
            self._ray.get(self._stops.add.remote(number), timeout=ANSWER)
        except self._ray.exceptions.RayError:  # its node is gone
            for stream in [s for s, running in self._streams.items() if running == number]:
                self._ray.cancel(stream, force=True)

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """What trials have sent, one message from each."""
        streams = list(self._streams)
        ready, _ = self._ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
        if not ready:
            ready, _ = self._ray.wait(streams, num_returns=1, timeout=seconds, fetch_local=False)
        return [(self._streams[stream], self._next(stream)) for stream in ready]

    def close(self) -> None:
        """Cancel the trials and leave the cluster."""
        for stream in self._streams:
            self._ray.cancel(stream, force=True)
        self._streams.clear()
        self._ray.shutdown()

    def _next(self, stream: Any) -> Message:
        """The next message of a trial; forgets the trial after its last one."""
        message: Message
        try:
            message = unpacked(self._ray.get(next(stream)))
        except StopIteration:
            message = Lost("it ended without a result")
        except self._ray.exceptions.RayTaskError as error:
            message = Failed(first_line(error.cause or error))
        except self._ray.exceptions.RayError as error:
            message = Lost(f"{type(error).__name__}: {first_line(error)}")
        if isinstance(message, Done | Failed | Lost):
            del self._streams[stream]
        return message

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


class StopList:
    """The trials to stop: an actor, which workers ask."""

    def __init__(self) -> None:
        self._numbers = set[int]()

    def add(self, number: int) -> None:
        """Stop a trial."""
        self._numbers.add(number)

    def has(self, number: int) -> bool:
        """Whether to stop a trial."""
        return number in self._numbers


class _StopFlag:
    """The stop flag of a trial on a node; never waits for an answer."""

    def __init__(self, stops: Any, number: int) -> None:
        self._stops, self._number = stops, number
        self._raised, self._looked = False, 0.0
        self._answer: Future[bool] = stops.has.remote(number).future()

    def __call__(self) -> bool:
        if self._raised or monotonic() - self._looked < LOOK or not self._answer.done():
            return self._raised
        self._looked = monotonic()
        self._raised = self._answer.exception() is None and self._answer.result()
        self._answer = self._stops.has.remote(self._number).future()
        return self._raised


def run_trial(task: Task, base: PackedNet, stops: Any) -> Iterator[Packed]:
    """Run a trial on a node."""
    yield from packed(_RUNNER.run(task, base, _StopFlag(stops, task.number)))
