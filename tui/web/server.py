"""The web server: textual-serve's, for pages of its own only."""

from __future__ import annotations

import asyncio
import logging
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from tui.web.page import own_page

TITLE = "Featherweight"

SHUTDOWN_SECONDS = 2.0
"""How long a page may take to close."""


class AppServer(Server):
    """Serves a program; each page has one of its own."""

    def __init__(self, command: str, listening: socket.socket) -> None:
        super().__init__(command, title=TITLE)
        self._is_local = is_local(listening)
        self._pages: set[asyncio.Task[object]] = set()

    async def app(self) -> web.Application:
        """The web application."""
        app = await self._make_app()
        app.middlewares.append(self._refuse_others)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command has."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close every page, which ends its program."""
        for page in self._pages:
            page.cancel()

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Connect a page to a program of its own, until either ends."""
        if not web.WebSocketResponse().can_prepare(request):
            raise web.HTTPBadRequest(text="expected a page of Featherweight")
        if page := asyncio.current_task():
            self._pages.add(page)
            page.add_done_callback(self._pages.discard)
        return await super().handle_websocket(request)

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, with links to the address by which the browser knows this server."""
        self.public_url = str(request.url.origin())
        page = await super().handle_index(request)
        assert isinstance(page, web.Response)
        page.text = own_page(page.text or "", f"{self.public_url}/static/")
        return page

    @web.middleware
    async def _refuse_others(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests that pages of other sites make.

        A browser sends them to any address, this machine's included, and they could press keys.
        """
        origin = request.headers.get("Origin")
        is_own = _is_host(request.host) and (
            origin is None or origin.partition("://")[2] == request.host
        )
        if not is_own or (self._is_local and not _names_loopback(request.host)):
            raise web.HTTPForbidden(text="this page is not Featherweight's")
        return await handler(request)


def serve(command: str, listening: socket.socket) -> None:
    """Serve until a signal raises KeyboardInterrupt."""
    logging.getLogger("textual-serve").addHandler(logging.NullHandler())
    web.run_app(
        AppServer(command, listening).app(),
        sock=listening,
        print=None,
        handle_signals=False,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        loop=asyncio.new_event_loop(),
    )


def url_of(listening: socket.socket) -> str:
    """The address of a server, as typed in a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_local(listening: socket.socket) -> bool:
    """Whether only this machine can reach a server."""
    return ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


def _is_host(host: str) -> bool:
    """Whether the host of a request is one."""
    try:
        parts = urlsplit(f"//{host}")
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _names_loopback(host: str) -> bool:
    """Whether the host of a request is this machine; another name may lead here, too."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
