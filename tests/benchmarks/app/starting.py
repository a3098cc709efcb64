"""Time from the command to the first screen, and the longest freeze while torch loads.

`first_screen`: both ways are a command in a pseudo-terminal of 80x24 and end with their first
complete frame. For the empty app, `textual.app.App().run()`, that is when the last cell of the
screen has the theme's background. `featherweight` must also show the title, the table, the progress
line and the footer, with torch's import under way. Both have their bytecode cached, as an installer
leaves it.

`start_freeze`: the longest lag of the real app's event loop from its start until the net is open
and drawn, with all files in the page cache, and after the files of Python's packages and of the
data set have been dropped from it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from collections.abc import Iterator
from mmap import MAP_PRIVATE, PAGESIZE, PROT_READ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from core.data.sources.store import default_data_dir
from tests.benchmarks.support.figures import Figure, medians, ratio
from tests.benchmarks.support.watched import watched
from tests.terminal.terminal import FEATHERWEIGHT, Terminal

ROUNDS = 9
WARM, COLD = 3, 2
MB = 1e6

EMPTY = (sys.executable, "-c", "from textual.app import App; App().run()")
COMPLETE = ("Featherweight", "the layers appear here", "loading", "quit")
MADV_PAGEOUT = 21


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    measured = []
    if "first_screen" in wanted:
        measured.append(_first_screen())
    if "start_freeze" in wanted:
        measured.append(_start_freeze())
    return measured


def _first_screen() -> Figure:
    seconds: dict[str, list[float]] = {"empty": [], "featherweight": []}
    with TemporaryDirectory() as cache:
        cached = {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        cached["XDG_STATE_HOME"] = str(Path(cache) / "state")  # no saved plan of the user
        for turn in range(1 + ROUNDS):
            taken = {
                "empty": _until_drawn(EMPTY, (), cached),
                "featherweight": _until_drawn((FEATHERWEIGHT,), COMPLETE, cached),
            }
            for name in seconds if turn else ():
                seconds[name].append(taken[name])
    return Figure(
        key="first_screen",
        what="time to the first screen, over that of an empty Textual app",
        value=ratio(seconds["featherweight"], seconds["empty"]),
        unit="x",
        limit=1.5,
        at_least=False,
        detail=medians(seconds),
    )


def _until_drawn(
    command: tuple[str, ...], texts: tuple[str, ...], environment: dict[str, str]
) -> float:
    start = perf_counter()
    with Terminal(*command[1:], columns=80, rows=24, command=command[0], **environment) as terminal:
        last = terminal.screen.lines - 1, terminal.screen.columns - 1

        def drawn() -> bool:
            painted = terminal.screen.buffer[last[0]][last[1]].bg != "default"
            return painted and all(text in terminal.text for text in texts)

        terminal.wait_until(drawn, "first frame", seconds=60)
        return perf_counter() - start


def _start_freeze() -> Figure:
    _longest_freeze()  # fills the page cache
    warm = [_longest_freeze() for _ in range(WARM)]
    cold, left = [], []
    for _ in range(COLD if hasattr(os, "posix_fadvise") else 0):
        left.append(_drop_from_page_cache())
        cold.append(_longest_freeze())
    freezes = [freeze for freeze, _ in warm + cold]
    detail = {
        "start_freeze_warm": max(freeze for freeze, _ in warm),
        "read_warm_mb": max(read for _, read in warm),
    }
    if cold:
        detail["start_freeze_cold"] = max(freeze for freeze, _ in cold)
        detail["read_cold_mb"] = min(read for _, read in cold)
        detail["not_dropped_mb"] = max(left)
    return Figure(
        key="start_freeze",
        what="longest freeze of the event loop during the start, files cached or not",
        value=max(freezes),
        unit=" s",
        limit=0.5,
        at_least=False,
        detail=detail,
    )


def _longest_freeze() -> tuple[float, float]:
    """The longest lag until the net is drawn, and the MB read from disk."""
    with watched() as (terminal, lags):
        terminal.wait_for("ready:", "Weights · ", seconds=300)
        read = _read_from_disk(terminal.process.pid)
        terminal.read(0.5)
        terminal.press("q")
        terminal.wait(60)
        return max(lag for late in lags().values() for lag in late), read


def _read_from_disk(pid: int) -> float:
    """MB that a process has read from disk; 0 if the system does not report it."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return int(dict(line.split(": ") for line in lines)["read_bytes"]) / MB


def _drop_from_page_cache() -> float:
    """Drop the files that a start reads; returns the MB that other processes keep cached."""
    _unmap_own()
    paths = list(_files_of_a_start())
    for path in paths:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return sum(map(_cached, paths)) / MB


def _files_of_a_start() -> Iterator[Path]:
    folders = Path(sysconfig.get_path("platlib")), default_data_dir()
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def _unmap_own() -> None:
    """Unmap this process's library pages, which would stay cached otherwise."""
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        place, *_, path = line.split(maxsplit=5)
        if path.startswith(sysconfig.get_path("platlib")):
            start, end = (int(address, 16) for address in place.split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_PAGEOUT)


def _cached(path: Path) -> int:
    """Bytes of a file in the page cache."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    size = ctypes.c_size_t(path.stat().st_size)
    pages = (ctypes.c_ubyte * -(-size.value // PAGESIZE))()
    with path.open("rb") as file:
        number, start = ctypes.c_int(file.fileno()), ctypes.c_long(0)
        address = ctypes.c_void_p(libc.mmap(None, size, PROT_READ, MAP_PRIVATE, number, start))
    libc.mincore(address, size, pages)
    libc.munmap(address, size)
    return PAGESIZE * sum(page & 1 for page in pages)
