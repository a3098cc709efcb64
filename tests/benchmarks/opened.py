"""VGG-16 in the real app: the memory of all that a session does with it, and the time of a key.

The app runs in a pseudo-terminal that shows four plots, on a few images of 224 x 224 made here. Its
memory is seen from outside, and what it has without a net is what the same app has with one of a
thousand parameters: the rest is VGG-16's, the values between its layers among it. The keys are
arrows, steps and locks on all layers, one soon after another and with a rest in which the
measurement beside them begins; a key is answered when the texts that it changed have been drawn.
Its plots follow one by one, and the keys that come meanwhile wait for them.
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

from tests.benchmarks import vgg16
from tests.benchmarks.figures import Figure
from tests.benchmarks.memory import forget_peak, resident
from tests.benchmarks.watched import COMPUTING, KEY, Lags, watched
from tests.terminal.terminal import Terminal

COPY = 4 * 138_357_544
"""Bytes of the weights and biases."""

CLASSES, IMAGES, SIDE = 3, 24, 224

SMALL = """
from torch import nn

def net():
    pool = nn.AdaptiveAvgPool2d(8)
    return nn.Sequential(pool, nn.Flatten(), nn.Linear(192, 3))
"""

NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
"""So that nothing is fetched: VGG-16 is untrained then."""

RESTS = (0.06, 0.6)
"""Seconds between two keys: too short for the measurement beside to begin, and long enough."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """A session for each."""
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
        taken = _taken(terminal)
        _leave(terminal)
    copies = {name: (size - without) / COPY for name, size in taken.items()}
    return Figure(
        key="vgg16_memory",
        what="VGG-16 in the app: opened, pruned, measured beside; memory at its peak",
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
        what=f"VGG-16 in the app: a key until it is answered, 99th percentile of {len(keys)}",
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


def _taken(terminal: Terminal) -> dict[str, int]:
    """The bytes of the process at the peak of each thing that it does, and after the last."""
    process = terminal.process.pid
    taken = {"opening": resident(process, peak=True), "opened": resident(process)}

    def after(name: str, *shown: str) -> None:
        terminal.wait_for(*shown, seconds=900)
        _rest(terminal)
        taken[name] = resident(process, peak=True)
        forget_peak(process)

    forget_peak(process)
    terminal.press("m", "enter")
    after("measured while dragging", "13.12x")
    terminal.press("p")
    after("pruned", "pruned at once")
    terminal.press("right", "d")
    after("ten images looked at", "test images")
    terminal.press("right", "v")
    after("all images, both nets", "true → answer")
    terminal.press("right", "V", "V")
    after("costs", "act %")
    terminal.press("right")
    time.sleep(1.5)  # the measurement is under way, and has to give way
    terminal.press("p")
    after("pruned while measured", "pruned at once")
    taken["at rest"] = resident(process)
    return taken


def _press(terminal: Terminal) -> None:
    """Move through all layers, up and down, and change each of them, the largest among them."""
    layers = len(vgg16.layers())
    for rest in RESTS:
        for way in ("down", "up"):
            for _ in range(layers - 1):
                for key in (way, "right", "right", "[", "l", "l"):
                    terminal.press(key)
                    terminal.read(rest)


def _rest(terminal: Terminal, seconds: float = 1.0) -> None:
    """Read until the app computes no more."""
    while True:
        before = _computed(terminal)
        terminal.read(seconds)
        if _computed(terminal) - before < 0.2 * seconds:
            return


def _computed(terminal: Terminal) -> float:
    """Seconds that the app's threads have computed; Linux counts them in hundredths."""
    fields = Path(f"/proc/{terminal.process.pid}/stat").read_text(encoding="ascii").split(") ")[-1]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / 100


@contextmanager
def _session(folder: Path, model: str) -> Iterator[tuple[Terminal, Callable[[], Lags]]]:
    """The app with a net, open and at rest, and what gives its lags once it has been left."""
    options = ("--model", model, "--dataset", f"folder:{folder / 'images'}", "--precision", "fp32")
    places = {name: str(folder / name) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME")}
    with watched(*options, rows=60, columns=180, **places, **NO_NETWORK) as (terminal, lags):
        terminal.wait_for("ready:", seconds=900)
        _rest(terminal)
        yield terminal, lags


def _leave(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.wait(60)


def _make_images(folder: Path) -> None:
    """Images of noise, in a folder for each class."""
    random = np.random.default_rng(0)
    for number in range(CLASSES * IMAGES):
        path = folder / f"class{number % CLASSES}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
