"""Fetch digits in a separate process: `fetch_process.py DIGITS MIRROR DATA_DIR [half | limited]`.

DIGITS: the data folder whose files replace MNIST's.

half: the process prints `half` and hangs once half of a file is written.
limited: no file may exceed 1 MB.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from core.data.loading import fetch
from core.data.sources import mirrors
from core.errors import InputError
from core.events import drain
from tests.digits import in_place_of_mnist


def _write_half(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data[: len(data) // 2])
    print("half", flush=True)
    time.sleep(600)


def main(digits: str, mirror: str, data_dir: str, mode: str = "") -> None:
    mirrors.addresses = lambda name: [mirror]
    if mode == "half":
        Path.write_bytes = _write_half  # type: ignore[assignment, method-assign]
    if mode == "limited":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        with in_place_of_mnist(Path(digits)):
            print(drain(fetch("mnist", Path(data_dir))))
    except InputError as error:
        print("InputError:", error)


main(*sys.argv[1:])
