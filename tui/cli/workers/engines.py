"""Where the work of a command runs: here, in processes, on a cluster."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.events import Notice

if TYPE_CHECKING:
    from core.executors.tasks import Executor
    from core.jobs.workbench import Workbench

OF_A_CLUSTER = ("cpus_per_trial", "gpus_per_trial")


def is_elsewhere(args: Namespace) -> bool:
    """Whether the options name workers other than this process."""
    return args.on is not None or "workers" in args


def connection_for(args: Namespace) -> Any:
    """The connection to the cluster that the options name; None if they name none.

    Raises InputError if options do not fit where the trials run, or the cluster cannot be used.
    """
    for name in OF_A_CLUSTER:
        if name in args and args.on is None:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} is for a cluster: add --on auto")
    if args.on is None or vars(args).get("preview"):
        return None
    from core.executors.ray_cluster.connection import connect

    return connect(args.on)


def note_idle_gpus(args: Namespace, connection: Any) -> Iterator[Notice]:
    """Warn that a cluster has GPUs, but trials get none."""
    if connection is None or vars(args).get("gpus_per_trial"):
        return
    if gpus := connection.cluster_resources().get("GPU"):
        text = f"trials get none of the cluster's {gpus:g} GPUs: add --gpus-per-trial 1"
        yield Notice(text, warning=True)


def executor_for(args: Namespace, connection: Any, workbench: Workbench) -> Executor:
    """What runs the work; raises InputError if no node of the cluster is large enough."""
    given = vars(args)
    if connection is not None:
        from core.executors.ray_cluster.executor import RayCluster, Share

        share = Share(given.get("cpus_per_trial", 1.0), given.get("gpus_per_trial", 0.0))
        return RayCluster(connection, share)
    workers = given.get("workers")
    if workers is None:
        from core.executors.in_process import InProcess

        return InProcess(workbench)
    import torch

    from core.executors.processes import Processes

    return Processes(workers, max(1, torch.get_num_threads() // workers))
