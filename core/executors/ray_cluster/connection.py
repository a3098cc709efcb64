"""The connection to a Ray cluster, and what its nodes have installed. Loads no torch.

Everything that listens is Ray's; its own authentication and network rules apply.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from typing import Any

from core.errors import InputError
from core.executors.ray_cluster.head_probe import check_head
from core.experiments.experiment import environment

ANSWERING = 60.0
"""Seconds for all nodes to start a worker and say which versions they have."""

PATIENCE = {
    "RAY_gcs_server_request_timeout_seconds": "10",  # for a node on this machine, not 60
    "RAY_NUM_REDIS_GET_RETRIES": "4",  # a second each, for a head that refuses, not 20
}
"""Ray's own settings of how long it tries to connect. It reads them when it is imported."""

REFUSED = ("Unauthenticated", "AuthenticationError", "InvalidAuthToken")
"""What Ray's errors say when a cluster asks for another token than this machine has."""

SAME = ("python", "featherweight", "torch", "torchvision", "numpy", "program")
"""What must be the same on every node for a trial to have the same result everywhere."""


def node_versions() -> dict[str, str]:
    """What results depend on, in this process."""
    return {**environment(), "program": program_digest()}


@cache
def program_digest() -> str:
    """12 hexadecimal digits of the SHA-256 of this library's own files."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def connect(address: str) -> Any:
    """The module `ray`, connected to a cluster whose nodes all run this program.

    Args:
        address: `auto` for the cluster that this machine belongs to, or HOST:PORT of its head.

    Raises:
        InputError: the cluster does not answer or asks for a token, Ray is not installed, or a node
            lacks this program or has other versions of what results depend on.
    """
    if address.startswith("ray://"):
        raise InputError(
            f"--on {address}: Ray's client cannot pass on what trials report while they run; "
            "start the sweep on a machine of the cluster, with --on auto"
        )
    if address != "auto":
        check_head(address, address)
    if find_spec("ray") is None:
        raise InputError("--on needs Ray: pip install 'featherweight[cluster]'")
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    import ray

    if address == "auto":
        _check_local()
    try:
        with _handlers_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise InputError(f"--on {address}: {_why_not(error)}") from error
    try:
        _keep_quiet()
        _check_versions(ray)
    except BaseException:
        ray.shutdown()
        raise
    return ray


def _why_not(error: Exception) -> str:
    """Why there is no connection, and what to do."""
    if any(word in f"{type(error)} {error} {error.__cause__}" for word in REFUSED):
        return (
            "the cluster asks for a token, and this machine has none or another one: set "
            "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or copy ~/.ray/auth_token from its head"
        )
    return (
        f"no Ray cluster that this machine belongs to ({first_line(error)}); start one with "
        "ray start --head, and join it from other machines with ray start --address=HEAD:6379"
    )


def _keep_quiet() -> None:
    """Let Ray print nothing: it puts what nodes complain of on the driver's standard output.

    No option says so. What concerns a trial comes back as its error.
    """
    from ray._private import worker

    worker.print_to_stdstream = lambda *_, **__: None


def _check_local() -> None:
    """Raise InputError unless the cluster that Ray knows on this machine answers."""
    from ray._private import services

    try:
        address = services.canonicalize_bootstrap_address("auto")
    except ConnectionError as error:
        raise InputError(f"--on auto: {_why_not(error)}") from error
    check_head(str(address), "auto")


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keep this program's response to signals, in whose place Ray puts its own, in C."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        if current_thread() is main_thread():  # only that may set one
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _check_versions(ray: Any) -> None:
    """Raise InputError if nodes lack this program, or have other versions of what it needs."""
    own, asked = node_versions(), {}
    for node_id, host in _alive(ray).items():
        probe = ray.remote(node_versions).options(num_cpus=0, scheduling_strategy=_on(node_id))
        asked[host, node_id] = probe.remote()
    faults = []
    deadline = monotonic() + ANSWERING
    for (host, node_id), answer in asked.items():
        try:
            versions = ray.get(answer, timeout=max(1.0, deadline - monotonic()))
        except ray.exceptions.GetTimeoutError:
            faults.append(f"node {host} has not answered in {ANSWERING:.0f} s")
        except ray.exceptions.RayError as error:
            if node_id in _alive(ray):
                why = f"does not run this version of featherweight ({last_line(error)})"
                faults.append(f"node {host} {why}")
        else:
            different = other_versions(versions, own)
            faults += [f"node {host} has {different}"] if different else []
    if faults:
        way = "the nodes of a cluster have to run the same program; install the same everywhere"
        raise InputError(f"{'; '.join(faults)}: {way}")


def _alive(ray: Any) -> dict[str, str]:
    """The nodes that have not left, by their ids, with their addresses."""
    return {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}


def on_driver(ray: Any) -> dict[str, Any]:
    """The options of what has no processor to itself, and goes only with the driver's node."""
    return {"num_cpus": 0, "scheduling_strategy": _on(ray.get_runtime_context().get_node_id())}


def _on(node_id: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node_id, soft=False)


def other_versions(versions: Mapping[str, str], own: Mapping[str, str]) -> str:
    """Which versions on a node are not the driver's, in words; empty if there are none."""
    return ", ".join(
        f"{name} {versions.get(name, 'nothing')} where the sweep has {own.get(name, 'nothing')}"
        for name in SAME
        if versions.get(name) != own.get(name)
    )


def fetched(reference: Any) -> Any:
    """On a node: the value of a reference, fetched from where it is."""
    import ray

    return ray.get(reference)


def first_line(error: object) -> str:
    """The first line of an error that says something, and no more than a sentence of it."""
    return _sentences(error)[0]


def last_line(error: object) -> str:
    """The last one: of what was raised in a task, the error itself, without Ray's traceback."""
    return _sentences(error)[-1]


def _sentences(error: object) -> list[str]:
    """The first sentence of each line of an error; its type if it says nothing."""
    lines = filter(None, map(str.strip, str(error).splitlines()))
    return [line.split(". ")[0][:200] for line in lines] or [type(error).__name__]
