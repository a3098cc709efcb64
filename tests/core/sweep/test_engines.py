"""Trials in processes and on a cluster: the same nets as here, whoever is killed."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import torch
from ray.cluster_utils import Cluster

from core.errors import InputError
from core.events import Epoch, Event, drain
from core.jobs.workbench import Workbench
from core.sweep import ray_connection
from core.sweep.cluster import RayCluster, Share
from core.sweep.driver import TrialLost, TrialReported
from core.sweep.in_process import InProcess
from core.sweep.processes import Processes
from core.sweep.ray_connection import connect
from core.sweep.runner import TaskRunner
from core.sweep.tasks import PackedNet, Task, plain_settings
from tests.core.sweep.own_net import Place, nets, processes_with

pytestmark = pytest.mark.slow

MARKER = f"FEATHERWEIGHT_TEST_CLUSTER={os.getpid()}"


STARTS = 5
"""A busy machine may take longer to start a node than Ray waits."""

STORE = 100 << 20
"""Bytes of a node's object store, about the least that Ray takes."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield Place.made(folder)
    for name in ("helper", "own"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def bench(place: Place) -> Iterator[Workbench]:
    threads = torch.get_num_threads()
    yield Workbench(place.settings)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def here(place: Place, bench: Workbench) -> dict[int | None, str | None]:
    """The nets of trials in this process, by seed."""
    return nets(place.sweep(bench, InProcess(bench))[0])


class Faults:
    """Does one thing after another, each when a trial ends its second epoch.

    By then its first checkpoint is stored. `lost` counts the trials that went on elsewhere.
    """

    def __init__(self, *faults: Callable[[], object]) -> None:
        self._faults, self.lost = list(faults), 0

    def __call__(self, event: Event) -> None:
        self.lost += isinstance(event, TrialLost)
        reported = event.event if isinstance(event, TrialReported) else None
        if isinstance(reported, Epoch) and reported.epoch == 2 and self._faults:
            self._faults.pop(0)()


def kill_one(pids: Sequence[int]) -> None:
    os.kill(pids[0], signal.SIGKILL)


def test_processes_make_the_same_nets_and_a_killed_one_loses_nothing(
    place: Place, bench: Workbench, here: dict[int | None, str | None]
) -> None:
    executor = Processes(2, threads=1)
    faults = Faults(lambda: kill_one([executor._workers[0].process.pid or 0]))
    experiment, result = place.sweep(bench, executor, faults)
    assert nets(experiment) == here
    assert faults.lost == 1
    assert [outcome.error for outcome in result.outcomes] == ["", ""]
    assert executor._workers == []


def test_the_code_of_a_net_travels_as_text(place: Place, bench: Workbench, tmp_path: Path) -> None:
    """A worker that lacks the files writes them, and the record names the user's own path."""
    from core.jobs.dense_net import open_dense_net
    from core.nets.user_code.sources import source_texts

    base = drain(open_dense_net(bench))
    sources = source_texts(place.model)
    assert list(sources) == ["own.py", "helper.py"]
    settings = plain_settings(replace(place.settings, weights=None)) | {"model": "gone/own.py:Net"}
    plan = {layer.name: 0.5 for layer in bench.layers}
    task = Task(1, settings | {"epochs": 0}, plan, "", base.digest, sources=sources)
    result = drain(TaskRunner().run(task, PackedNet.of(base)))
    assert result.record.model == "gone/own.py:Net"
    assert result.record.accuracy.pruned is not None


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head and a node, one CPU each, with real raylets."""
    name, _, value = MARKER.partition("=")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        root = Path(__file__).parents[3]
        patch.setenv("PYTHONPATH", os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]))
        made = next(filter(None, (started() for _ in range(STARTS))))
        yield made
        made.shutdown()


def started() -> Cluster | None:
    """A cluster; None if it did not start within the 30 seconds that Ray gives it."""
    arguments = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE}
    made = Cluster()
    try:
        made.add_node(**arguments)
        made.add_node(num_cpus=1, object_store_memory=STORE)
        made.wait_for_nodes()
    except Exception:  # Ray raises just this one
        made.shutdown()
        return None
    return made


def test_a_cluster_makes_the_same_nets_while_workers_and_nodes_come_and_go(
    place: Place,
    bench: Workbench,
    here: dict[int | None, str | None],
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.sweep.cluster.AHEAD", 1)
    executor = RayCluster(connect(cluster.address), Share())
    assert executor.room == 3

    def replace_node() -> None:
        cluster.remove_node(cluster.list_all_nodes()[1], allow_graceful=False)
        cluster.add_node(num_cpus=1, object_store_memory=STORE)

    faults = Faults(lambda: kill_one(processes_with(MARKER, "ray::run_trial")), replace_node)
    experiment, result = place.sweep(bench, executor, faults)
    assert nets(experiment) == here
    assert faults.lost >= 1
    assert [outcome.error for outcome in result.outcomes] == ["", ""]


def test_a_share_that_no_node_has_is_refused(cluster: Cluster) -> None:
    ray = connect(cluster.address)
    with pytest.raises(InputError, match="no node of the cluster has 4 CPUs and 0 GPUs"):
        RayCluster(ray, Share(cpus=4))
    ray.shutdown()


def test_nodes_with_other_versions_are_named(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ray_connection.node_versions()
    monkeypatch.setattr(ray_connection, "program_digest", lambda: "0123456789ab")
    with pytest.raises(InputError, match=f"program {own['program']} where this machine has 0123"):
        connect(cluster.address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "no answer"),
        ("somewhere", "expected auto or HOST:PORT"),
        ("ray://127.0.0.1:10001", "start the sweep on a machine of the cluster"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_refused_at_once(address: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        connect(address)


@pytest.mark.parametrize("answer", [b"HTTP/1.0 400 Bad Request\r\n\r\n", b""])
def test_another_server_is_no_cluster(answer: bytes) -> None:
    """Ray would wait for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond() -> None:
            client, _ = server.accept()
            with client:
                client.recv(100)
                client.sendall(answer)

        thread = Thread(target=respond)
        thread.start()
        with pytest.raises(InputError, match="is not the head of a Ray cluster"):
            connect(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()
