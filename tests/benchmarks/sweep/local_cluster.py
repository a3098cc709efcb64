"""A Ray cluster of one node on this machine, and the CPU time of what runs on it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

from core.executors.ray_cluster.connection import connect

MARKER = "FEATHERWEIGHT_BENCHMARK"
"""A variable in the environment of every process that a benchmark starts."""

REPOSITORY = Path(__file__).parents[3]

STORE = 256 << 20
"""Bytes of the object store."""

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # 15 by default: other programs would come first
}

TICK = os.sysconf("SC_CLK_TCK")


def measurable(wanted: Iterable[str]) -> list[str]:
    """The figures that can be measured here; says which need Ray."""
    names = list(wanted)
    if find_spec("ray") is not None:
        return names
    if skipped := [name for name in names if name.startswith("ray_")]:
        print(f"skipped {', '.join(skipped)}: needs Ray; pip install 'featherweight[cluster]'")
    return [name for name in names if not name.startswith("ray_")]


@contextmanager
def local_cluster(cpus: int) -> Iterator[Any]:
    """The module `ray`, connected to a cluster of its own."""
    with marked(**SETTINGS):
        from ray.cluster_utils import Cluster

        cluster = Cluster()
        try:
            cluster.add_node(num_cpus=cpus, include_dashboard=False, object_store_memory=STORE)
            yield connect(cluster.address)
        finally:
            cluster.shutdown()


@contextmanager
def marked(**others: str) -> Iterator[None]:
    """Mark the processes that are started meanwhile; they find these modules."""
    paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    with patch.dict(os.environ, {MARKER: str(os.getpid()), "PYTHONPATH": paths, **others}):
        yield


@dataclass
class Usage:
    """The seconds of CPU that marked processes have used, by their ids."""

    seconds: dict[int, float]

    @classmethod
    def now(cls) -> Usage:
        """Of the marked processes that are alive."""
        marker, seconds = f"{MARKER}={os.getpid()}".encode(), {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    if marker in (folder / "environ").read_bytes().split(b"\0"):
                        numbers = (folder / "stat").read_text().rpartition(")")[2].split()
                        seconds[int(folder.name)] = sum(map(int, numbers[11:13])) / TICK
                except OSError:  # it has ended, or is another user's
                    continue
        return cls(seconds)

    def since(self, before: Usage) -> float:
        """Seconds of CPU since then, in all processes."""
        return sum(spent - before.seconds.get(pid, 0.0) for pid, spent in self.seconds.items())
