"""The connection to a Ray cluster, and what its nodes have installed. Loads no torch.

Everything that listens is Ray's; its own authentication and network rules apply.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from typing import Any

from core.errors import InputError
from core.experiments.experiment import environment

CONNECTING = 3.0
"""Seconds to wait for an answer from a cluster's address."""

ANSWERING = 60.0
"""Seconds for all nodes to start a worker and say which versions they have."""

SETTINGS = b"\x04"
"""The type of the first frame from either side of HTTP/2, RFC 9113, sections 3.4 and 6.5."""

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + SETTINGS + bytes(5)
"""What a client of HTTP/2 says first: its preface, and that it has no settings."""

PATIENCE = ("RAY_gcs_server_request_timeout_seconds", "10")
"""How long Ray looks for a node on this machine, by its own setting, which is 60 seconds."""

SAME = ("python", "featherweight", "torch", "torchvision", "numpy", "program")
"""What must be the same on every node for a trial to have the same result everywhere."""


def node_versions() -> dict[str, str]:
    """What results depend on, in this process."""
    return {**environment(), "program": program_digest()}


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
        InputError: the cluster does not answer, Ray is not installed, or a node lacks this program
            or has other versions of what results depend on.
    """
    if address.startswith("ray://"):
        raise InputError(
            f"--on {address}: Ray's client cannot pass on what trials report while they run; "
            "start the sweep on a machine of the cluster, with --on auto"
        )
    if address != "auto":
        _check_answers(address)
    if find_spec("ray") is None:
        raise InputError("--on needs Ray: pip install 'featherweight[cluster]'")
    os.environ.setdefault(*PATIENCE)
    import ray

    try:
        with _handlers_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        way = "start one with ray start --head, and join it from other machines with "
        raise InputError(
            f"--on {address}: no Ray cluster that this machine belongs to ({first_line(error)}); "
            f"{way}ray start --address=HEAD:6379"
        ) from error
    try:
        _check_versions(ray)
    except BaseException:
        ray.shutdown()
        raise
    return ray


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


def _check_answers(address: str) -> None:
    """Raise InputError unless something at HOST:PORT speaks HTTP/2, as Ray does.

    Ray itself would wait for minutes.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise InputError(f"--on {address}: expected auto or HOST:PORT")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECTING) as server:
            server.sendall(HELLO)
            answer = server.recv(9)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"--on {address}: no answer ({why}); is the cluster running?") from error
    if answer[3:4] != SETTINGS and os.environ.get("RAY_USE_TLS") != "1":
        raise InputError(f"--on {address}: what listens there is not the head of a Ray cluster")


def _check_versions(ray: Any) -> None:
    """Raise InputError if nodes lack this program, or have other versions of what it needs."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    own, asked = node_versions(), {}
    for node in ray.nodes():
        if node["Alive"]:
            here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            probe = ray.remote(node_versions).options(num_cpus=0, scheduling_strategy=here)
            asked[node["NodeManagerAddress"], node["NodeID"]] = probe.remote()
    faults = []
    deadline = monotonic() + ANSWERING
    for (host, _), answer in asked.items():
        try:
            versions = ray.get(answer, timeout=max(1.0, deadline - monotonic()))
        except ray.exceptions.RayError as error:
            why = f"does not run featherweight ({first_line(error)}); install it there"
            faults.append(f"node {host} {why}")
            continue
        other = [
            f"{name} {versions.get(name, 'nothing')} where this machine has {own.get(name)}"
            for name in SAME
            if versions.get(name) != own.get(name)
        ]
        if other:
            faults.append(f"node {host} has {', '.join(other)}")
    if faults:
        raise InputError(f"{'; '.join(faults)}: results would differ; install the same everywhere")


def first_line(error: object) -> str:
    """The first line of an error that says something, and no more than a sentence of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].split(". ")[0][:200] if lines else type(error).__name__
