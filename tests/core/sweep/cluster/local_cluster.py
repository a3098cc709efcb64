"""A Ray cluster of several raylets on this machine, each of which takes itself for another one."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from core.data.sources.store import default_data_dir
from tests.core.sweep.own_net import processes_with

ROOT = Path(__file__).parents[4]

STARTS = 5
"""A busy machine may take longer to start a node than the 30 seconds that Ray waits."""

STORE = 128 << 20
"""Bytes of a node's object store: the files of MNIST, and some room."""

MARK = "FEATHERWEIGHT_TEST_NODE"
"""A variable in the environment of all processes of a node."""

SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_timeout_ms": "60000",
    "OMP_NUM_THREADS": "1",
}
"""Of Ray: it asks for a token; workers get as much of a busy machine as others, and its nodes do
not count as dead because they are slow."""


class LocalCluster:
    """A head without processors for trials, and nodes that come and go.

    Every node has its own home and cache. That of the head has MNIST, the others are empty.
    """

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder = folder
        self._cluster = self._begun(Cluster)

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return str(self._cluster.address)

    def join(self, cpus: int = 1, home: str = "bare", **environment: str) -> Any:
        """Start a node with a home, which several may share."""
        with self._environment(self.folder / home, environment):
            for _ in range(STARTS):
                with suppress(Exception):  # Ray raises just this one
                    return self._cluster.add_node(num_cpus=cpus, object_store_memory=STORE)
        raise TimeoutError("no node has started")

    def join_if_alone(self) -> None:
        """Start a node unless there is one."""
        if not self._cluster.worker_nodes:
            self.join()

    def kill(self, node: Any) -> None:
        """Kill a node's raylet and all it has started, with SIGKILL."""
        self._cluster.remove_node(node, allow_graceful=False)

    def kill_nodes(self) -> None:
        """Kill all nodes but the head."""
        for node in list(self._cluster.worker_nodes):
            self.kill(node)

    def workers(self) -> list[int]:
        """The processes that run trials."""
        return processes_with(f"{MARK}={self.folder}", "ray::run_trial")

    def shutdown(self) -> None:
        """End all processes."""
        self._cluster.shutdown()

    def _begun(self, make: Any) -> Any:
        data = self.folder / "head" / "cache" / "featherweight" / "data"
        data.parent.mkdir(parents=True)
        data.symlink_to(default_data_dir())
        for _ in range(STARTS):
            cluster = make()
            with self._environment(self.folder / "head", {}):
                try:
                    cluster.add_node(
                        num_cpus=0,
                        object_store_memory=STORE,
                        include_dashboard=False,
                        include_log_monitor=False,
                        no_monitor=True,
                    )
                except Exception:  # Ray raises just this one
                    cluster.shutdown()
                else:
                    return cluster
        raise TimeoutError("no head has started")

    @contextmanager
    def _environment(self, home: Path, environment: Mapping[str, str]) -> Iterator[None]:
        """What the processes of a node get."""
        home.mkdir(exist_ok=True)
        paths = (environment.get("PYTHONPATH"), str(ROOT), os.environ.get("PYTHONPATH"))
        own = {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            MARK: str(self.folder),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**environment, **own}.items():
                patch.setenv(name, value)
            yield


@contextmanager
def local_cluster() -> Iterator[LocalCluster]:
    """A cluster whose files are in a folder of its own, with a short path, as sockets need it."""
    folder = Path(mkdtemp(prefix="fw-ray-"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**SETTINGS, "RAY_TMPDIR": str(folder)}.items():
                patch.setenv(name, value)
            _read_settings_again()
            cluster = LocalCluster(folder)
            yield cluster
            cluster.shutdown()
        _read_settings_again()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_settings_again() -> None:
    """Let Ray look at its settings: another test may have imported it before they were made."""
    from ray._raylet import AuthenticationTokenLoader, Config

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
