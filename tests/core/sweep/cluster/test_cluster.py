"""Trials on a cluster: the same nets as here, whoever is killed and whichever node goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from core.errors import InputError
from core.executors import ray_connection
from core.executors.cluster import RayCluster, Share
from core.executors.ray_connection import connect
from core.jobs.workbench import Workbench
from tests.core.sweep.faults import Faults, kill_one
from tests.core.sweep.own_net import Place, nets, processes_with

pytestmark = pytest.mark.slow

MARKER = f"FEATHERWEIGHT_TEST_CLUSTER={os.getpid()}"

STARTS = 5
"""A busy machine may take longer to start a node than Ray waits."""

STORE = 100 << 20
"""Bytes of a node's object store, about the least that Ray takes."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head and a node, one CPU each, with real raylets."""
    name, _, value = MARKER.partition("=")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        root = Path(__file__).parents[4]
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
    monkeypatch.setattr("core.executors.cluster.AHEAD", 1)
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
