"""Addresses where there is no cluster are refused at once."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from core.errors import InputError
from core.executors.ray_cluster.connection import connect


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


def test_certificates_that_ray_would_not_find_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAY_USE_TLS", "1")
    monkeypatch.delenv("RAY_TLS_SERVER_CERT", raising=False)
    with pytest.raises(InputError, match="needs RAY_TLS_CA_CERT, RAY_TLS_SERVER_CERT, RAY_TLS_SER"):
        connect("127.0.0.1:1")
    for name in ("RAY_TLS_CA_CERT", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY"):
        monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    with pytest.raises(InputError, match="cannot be read"):
        connect("127.0.0.1:1")


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


@pytest.mark.parametrize(
    ("before", "words"),
    [("127.0.0.1:1", r"auto: no answer at .*:1 "), (None, "no Ray cluster that this")],
)
def test_a_machine_that_is_in_no_cluster_is_told_at_once(
    before: str | None, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor does it take another one for its own when Ray has noted one that has ended."""
    from ray._private import services

    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    if before is not None:
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray" / "ray_current_cluster").write_text(before)
    with pytest.raises(InputError, match=words):
        connect("auto")
