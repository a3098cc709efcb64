"""Local servers in place of a data set's sources."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

POLL_SECONDS = 0.01
"""How often a server looks whether it shall end."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder; the address ends with a slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@dataclass
class Unreliable:
    """Files on a server that breaks connections.

    Attributes:
        files: their contents by name; may be changed while it serves.
        breaks: after how many bytes each of the next responses ends.
        ranges: whether it can continue where a client asks it to.
        asked: the ranges that clients asked for, empty for a whole file.
    """

    files: dict[str, bytes]
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Send a file, or the part of it that is asked for."""
        data = self.files.get(handler.path.lstrip("/"))
        wanted = handler.headers.get("Range", "")
        self.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        if data is None or start >= len(data):
            handler.send_error(404 if data is None else 416)
            return
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        end = start + self.breaks.pop(0) if self.breaks else len(data)
        handler.wfile.write(data[start:end])


@contextmanager
def unreliable(files: dict[str, bytes]) -> Iterator[Unreliable]:
    """Serve the contents of files."""
    served = Unreliable(files)

    class Handler(_Quiet):
        def do_GET(self) -> None:
            served.answer(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
    served.address = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
