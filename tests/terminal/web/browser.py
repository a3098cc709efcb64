"""A headless Chromium, driven by its DevTools protocol: the page's picture, and what it shows."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyte
from aiohttp import ClientSession, ClientWebSocketResponse
from PIL import Image

from tests.terminal.terminal import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1000,640",
)

TERMINAL = "document.querySelector('.xterm-screen').getBoundingClientRect().toJSON()"
BINARY = 2


class Page:
    """A page with a terminal in it.

    Attributes:
        screen: what the program has sent to the page, as a terminal shows it.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Take answers and events, until the browser closes."""
        async for message in self._socket:
            event = message.json()
            if "id" in event:
                self._answers.pop(event["id"]).set_result(event)
            elif event["method"] == "Network.webSocketCreated":
                self._resize(event["params"]["url"])
            elif event["method"] == "Network.webSocketFrameReceived":
                frame = event["params"]["response"]
                if frame["opcode"] == BINARY:
                    self._stream.feed(base64.b64decode(frame["payloadData"]))

    def _resize(self, url: str) -> None:
        size = dict(part.split("=") for part in url.partition("?")[2].split("&"))
        self.screen.resize(int(size["height"]), int(size["width"]))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        result: dict[str, Any] = (await asyncio.wait_for(answer, PATIENCE))["result"]
        return result

    async def press(self, text: str, code: int = 0) -> None:
        """Type a character, or press the key with this code."""
        key = {"key": text, "windowsVirtualKeyCode": code, "code": text}
        key |= {"text": text} if len(text) == 1 else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=text)

    async def wait_for(self, *texts: str, gone: tuple[str, ...] = ()) -> None:
        """Wait until all texts were sent to the page, and none of `gone` is left."""
        await self.wait_until(
            lambda: (
                all(text in self.text for text in texts)
                and not any(text in self.text for text in gone)
            )
        )

    async def wait_until(self, reached: Callable[[], object]) -> None:
        """Wait until something is reached; if not in time, fail and show the screen."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not reached():
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise AssertionError(self.text) from error

    @property
    def text(self) -> str:
        """What the program has drawn."""
        return "\n".join(self.screen.display)

    async def cells(self) -> np.ndarray[Any, Any]:
        """The terminal's picture, cut into cells: rows, columns, and each cell's pixels."""
        found = await self.call("Runtime.evaluate", expression=TERMINAL, returnByValue=True)
        box = found["result"]["value"]
        shot = await self.call("Page.captureScreenshot", format="png")
        picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("L")
        left, top, width, height = (box[name] for name in ("x", "y", "width", "height"))
        rows, columns = self.screen.lines, self.screen.columns
        fitted = picture.crop((left, top, left + width, top + height))
        pixels = np.asarray(fitted.resize((columns * 8, rows * 16)))
        return pixels.reshape(rows, 16, columns, 8).swapaxes(1, 2)


@asynccontextmanager
async def browser(url: str, profile: Path) -> AsyncIterator[Page]:
    """A page of a new browser, with its profile in an empty folder."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *OPTIONS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE), ClientSession() as session:
            port = await _port(profile)
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            address = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                await page.call("Network.enable")
                await page.call("Emulation.setFocusEmulationEnabled", enabled=True)
                await page.call("Page.navigate", url=url)
                yield page
                await page.call("Browser.close")
                listening.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _port(profile: Path) -> str:
    """The port of the protocol, which the browser writes to a file."""
    file = profile / "DevToolsActivePort"
    while not file.exists() or not file.read_text():
        await asyncio.sleep(0.05)
    return file.read_text().split()[0]
