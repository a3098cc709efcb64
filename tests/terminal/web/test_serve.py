"""The program in a browser: the server, its page, and the page's picture in Chromium."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyte
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from PIL import Image

import core.nets
from tests.digits import draw
from tests.terminal.terminal import FEATHERWEIGHT, PATIENCE
from tests.terminal.web.browser import CHROMIUM, Page, browser
from tui.cli.commands.serve import app_options, command
from tui.cli.main import main

pytestmark = pytest.mark.slow

WEIGHTS = Path(core.nets.__file__).with_name("dense") / "cnn5.safetensors"
LIT = 60
"""How much brighter than its darkest pixel the brightest one of a character is."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server, and its process; its programs open a trained net on few images."""
    folder = tmp_path_factory.mktemp("served")
    options = ("--dataset", f"folder:{_digits(folder / 'digits')}", "--weights", str(WEIGHTS))
    process = subprocess.Popen(
        [FEATHERWEIGHT, "serve", "--port", "0", "--channels", "1", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
            "FEATHERWEIGHT_TOUR": "false",
        },
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "can run trainings, and read and write files, as you" in line
    yield line.split()[3], process
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    process.stdout.close()


def _digits(folder: Path) -> Path:
    """A folder with a few images of each digit."""
    for number, (image, label) in enumerate(zip(*draw(120, seed=0), strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return folder


async def test_a_page_gets_a_program_of_its_own_and_keys_reach_it(served):
    url, process = served
    async with ClientSession() as session:
        async with session.get(url) as answer:
            page = await answer.text()
            assert f"{url.replace('http', 'ws')}/ws" in page
            assert "Featherweight" in page
            assert "googleapis" not in page, "the page asks no other server"
        async with session.ws_connect(f"{url}/ws?width=100&height=30", origin=url) as page:
            screen = pyte.Screen(100, 30)
            await _until(page, screen, "Featherweight", "loading")
            await page.send_json(["stdin", "?"])
            await _until(page, screen, "Set sparsities")
            await page.send_json(["resize", {"width": 80, "height": 24}])
            await page.send_json(["stdin", "qq"])
            assert await _until(page, screen, "never") is None, "quitting closes the page"
    assert process.poll() is None, "the server goes on"


async def _until(page: ClientWebSocketResponse, screen: pyte.Screen, *texts: str) -> str | None:
    """Read until the texts are on the screen; None if the page closes."""
    stream = pyte.ByteStream(screen)
    async with asyncio.timeout(PATIENCE):
        async for message in page:
            if message.type == WSMsgType.BINARY:
                stream.feed(message.data)
            shown = "\n".join(screen.display)
            if all(text in shown for text in texts):
                return shown
    return None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Origin": "http://["}, 403),
        ({"Host": "127.0.0.1:99999"}, 403),
        ({"Host": "[::1"}, 403),
    ],
    ids=[
        "its own",
        "of another site",
        "by another name",
        "by this machine's name",
        "no origin",
        "no port",
        "no host",
    ],
)
async def test_pages_of_other_sites_are_refused(served, headers, status):
    async with ClientSession() as session:
        async with session.get(served[0], headers=headers) as answer:
            assert answer.status == status
        if status != 200:
            async with session.get(f"{served[0]}/ws", headers=headers) as answer:
                assert answer.status == status


def test_a_port_in_use_is_bad_input(served, capsys: pytest.CaptureFixture[str]):
    port = served[0].rpartition(":")[2]
    assert main(["serve", "--port", port]) == 2
    line = capsys.readouterr().err
    assert line.endswith(f"port {port}: Address already in use; try another --port\n")


def test_an_address_of_another_machine_is_bad_input(capsys: pytest.CaptureFixture[str]):
    assert main(["serve", "--host", "192.0.2.1", "--port", "0"]) == 2
    assert capsys.readouterr().err.endswith("; try another --host\n")


def test_without_its_package_it_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr("tui.cli.commands.serve.find_spec", lambda name: None)
    assert main(["serve"]) == 2
    assert "pip install 'featherweight[web]'" in capsys.readouterr().err


def test_the_program_gets_every_option_but_the_address():
    words = ["--seed", "1", "serve", "--port", "1", "--experiment", "my runs", "--host=::1"]
    options = app_options(words)
    assert options == ["--seed", "1", "--experiment", "my runs"]
    assert shlex.split(command(options))[-4:] == options


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
async def test_a_browser_shows_every_character_of_the_table_and_takes_keys(served, tmp_path):
    async with browser(served[0], tmp_path) as page:
        await page.wait_for("conv1", "fc2", "147,456", "▶ conv1")
        await _check_picture(page, "conv1", "fc2", "147,456")
        await page.press("ArrowDown", 40)
        await page.wait_for("▶ conv2", gone=("▶ conv1",))
        await _check_picture(page, "▶ conv2")


async def _check_picture(page: Page, *texts: str) -> None:
    """Wait until the picture shows the lines with these texts, letter by letter."""
    lines = page.screen.display
    rows = [row for row, line in enumerate(lines) if any(text in line for text in texts)]
    assert rows
    async with asyncio.timeout(PATIENCE):
        shown = False
        while not shown:
            cells = await page.cells()
            shown = all(_is_shown(lines[row], cells[row]) for row in rows)


def _is_shown(line: str, cells: np.ndarray) -> bool:
    """Whether the cells of a line are lit where, and only where, it has letters or digits."""
    lit = np.ptp(cells.reshape(len(cells), -1).astype(int), axis=1) > LIT
    letters = np.array([char.isalnum() for char in line])
    blanks = np.array([char == " " for char in line])
    return bool(lit[letters].all() and not lit[blanks].any())
