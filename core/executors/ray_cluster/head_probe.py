"""Whether the head of a Ray cluster answers at an address; Ray itself would wait for minutes."""

from __future__ import annotations

import os
import socket
import ssl

from core.errors import InputError

CONNECTING = 3.0
"""Seconds to wait for an answer from a cluster's address."""

SETTINGS = b"\x04"
"""The type of the first frame from either side of HTTP/2, RFC 9113, sections 3.4 and 6.5."""

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + SETTINGS + bytes(5)
"""What a client of HTTP/2 says first: its preface, and that it has no settings."""


def check_head(address: str, named: str) -> None:
    """Raise InputError unless something at HOST:PORT speaks HTTP/2, as Ray does.

    With RAY_USE_TLS=1 it must speak it over TLS, with the certificates that Ray is told of.
    `named` is how the user names the cluster.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise InputError(f"--on {named}: expected auto or HOST:PORT")
    tls = _tls()
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECTING) as server:
            answer = _greeted(server if tls is None else tls.wrap_socket(server))
    except ssl.SSLError as error:
        raise InputError(
            f"--on {named}: RAY_USE_TLS=1 is set here, but {address} does not speak TLS with "
            f"these certificates ({error.strerror})"
        ) from error
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        at = "" if named == address else f" at {address}"
        raise InputError(f"--on {named}: no answer{at} ({why}); is the cluster running?") from error
    if answer[3:4] != SETTINGS:
        hint = "" if tls else "; if it uses TLS, set RAY_USE_TLS=1 and its certificates here too"
        raise InputError(
            f"--on {named}: what listens at {address} is not the head of a Ray cluster{hint}"
        )


def _greeted(server: socket.socket) -> bytes:
    """The head of the first frame that a server answers with."""
    with server:
        server.sendall(HELLO)
        return server.recv(9)


def _tls() -> ssl.SSLContext | None:
    """TLS as Ray's environment variables set it up; None if they do not.

    Raises InputError if a certificate cannot be read.
    """
    if os.environ.get("RAY_USE_TLS", "").lower() not in ("1", "true"):
        return None
    names = ("RAY_TLS_CA_CERT", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY")
    authority, certificate, key = (os.environ.get(name) or None for name in names)
    if certificate is None or key is None:
        raise InputError(f"RAY_USE_TLS=1 needs {', '.join(names)}: paths of PEM files")
    try:
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise InputError(
            f"RAY_USE_TLS=1: {', '.join(names)}: a certificate cannot be read ({error.strerror})"
        ) from error
    context.check_hostname = False  # Ray's nodes share a certificate and are known by address
    context.set_alpn_protocols(["h2"])
    return context
