"""VGG-16 in the real app: the memory of a session, and the time to handle a key.

The app runs in a pseudo-terminal with four plots, on a few generated images of 224 x 224. Its
memory is measured from outside, minus that of the same app with a net of about 600 parameters: the
rest is VGG-16's, activations included. The keys are arrows, steps and locks on all layers, in quick
succession and with pauses in which the background measurement starts. A key is handled when the
texts it changed have been drawn; the plots follow one by one, and later keys wait for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from tests.benchmarks.support import vgg16
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.memory import forget_peak, resident
from tests.benchmarks.support.watched import COMPUTING, KEY, Lags, watched
from tests.terminal.terminal import Terminal

COPY = 4 * 138_357_544
"""Bytes of the weights and biases."""

CLASSES, IMAGES, SIDE = 3, 24, 224

SMALL = """
import torchvision.models  # as for VGG-16: its modules and torch's compiler, which they import
from torch import nn

def net():
    pool = nn.AdaptiveAvgPool2d(8)
    return nn.Sequential(pool, nn.Flatten(), nn.Linear(192, 3))
"""

NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
"""Nothing can be downloaded, so VGG-16 is untrained."""

RESTS = (0.06, 0.6)
"""Seconds between two keys: too short for the background measurement to start, and long enough."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """One session per figure."""
    measured = {"vgg16_memory": _memory, "vgg16_key": _key}
    with TemporaryDirectory() as place:
        folder = Path(place)
        _make_images(folder / "images")
        return [measured[key](folder) for key in wanted]


def _memory(folder: Path) -> Figure:
    code = folder / "small.py"
    code.write_text(SMALL, encoding="utf-8")
    with _session(folder, f"{code}:net") as (terminal, _):
        without = resident(terminal.process.pid)
        _leave(terminal)
    with _session(folder, "vgg16") as (terminal, _):
        peaks = _peaks(terminal)
        _leave(terminal)
    copies = {name: (size - without) / COPY for name, size in peaks.items()}
    return Figure(
        key="vgg16_memory",
        what="VGG-16 in the app: opened, pruned, measured in the background; peak memory",
        value=max(copies.values()),
        unit=" copies",
        limit=3.5,
        at_least=False,
        detail={**copies, "MB without a net": without / 1e6},
    )


def _key(folder: Path) -> Figure:
    with _session(folder, "vgg16") as (terminal, lags):
        _press(terminal)
        _leave(terminal)
        keys, computing = ([1000 * lag for lag in lags()[name]] for name in (KEY, COMPUTING))
    return Figure(
        key="vgg16_key",
        what=f"VGG-16 in the app: time to handle a key, 99th percentile of {len(keys)}",
        value=float(np.percentile(keys, 99)),
        unit=" ms",
        limit=50,
        at_least=False,
        detail={
            "median ms": median(keys),
            "p95 ms": float(np.percentile(keys, 95)),
            "longest ms": max(keys),
            "median ms of computing": median(computing),
            "longest ms of computing": max(computing),
        },
    )


def _peaks(terminal: Terminal) -> dict[str, int]:
    """Peak bytes of the process during each action, and bytes after the last."""
    process = terminal.process.pid
    peaks = {"opening": resident(process, peak=True), "opened": resident(process)}

    def after(name: str, *shown: str) -> None:
        terminal.wait_for(*shown, seconds=900)
        _rest(terminal)
        peaks[name] = resident(process, peak=True)
        forget_peak(process)

    forget_peak(process)
    terminal.press("m", "enter")
    after("measured while dragging", "13.12x")
    terminal.press("p")
    after("pruned", "pruned to")
    terminal.press("right", "d")
    after("ten images predicted", "test images")
    terminal.press("right", "v")
    after("all images, both nets", "true → predicted")
    terminal.press("right", "V", "V")
    after("costs", "act %")
    terminal.press("right")
    time.sleep(1.5)  # the background measurement runs and must stop
    terminal.press("p")
    after("pruned while measured", "pruned to")
    peaks["at rest"] = resident(process)
    return peaks


def _press(terminal: Terminal) -> None:
    """Move through all layers, down and up, and change each of them."""
    layers = len(vgg16.layers())
    for rest in RESTS:
        for way in ("down", "up"):
            for _ in range(layers - 1):
                for key in (way, "right", "right", "[", "l", "l"):
                    terminal.press(key)
                    terminal.read(rest)


def _rest(terminal: Terminal, seconds: float = 1.0) -> None:
    """Read until the app is idle."""
    while True:
        before = _cpu_seconds(terminal)
        terminal.read(seconds)
        if _cpu_seconds(terminal) - before < 0.2 * seconds:
            return


def _cpu_seconds(terminal: Terminal) -> float:
    """CPU seconds of the app; Linux counts them in hundredths."""
    fields = Path(f"/proc/{terminal.process.pid}/stat").read_text(encoding="ascii").split(") ")[-1]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / 100


@contextmanager
def _session(folder: Path, model: str) -> Iterator[tuple[Terminal, Callable[[], Lags]]]:
    """The app with a net, open and idle, and a function that returns its lags after it has quit."""
    options = ("--model", model, "--dataset", f"folder:{folder / 'images'}", "--precision", "fp32")
    cache = {"XDG_CACHE_HOME": str(folder / "cache")}
    with watched(*options, rows=60, columns=180, **cache, **NO_NETWORK) as (terminal, lags):
        terminal.wait_for("untrained net, ", seconds=900)
        terminal.press("escape")  # the small net is not to be trained
        _rest(terminal)
        yield terminal, lags


def _leave(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.wait(60)


def _make_images(folder: Path) -> None:
    """Write images of noise, a folder per class."""
    random = np.random.default_rng(0)
    for number in range(CLASSES * IMAGES):
        path = folder / f"class{number % CLASSES}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
