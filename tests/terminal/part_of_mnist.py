"""Real MNIST with fewer images to train on, in the real program."""

from __future__ import annotations

from pathlib import Path

from core.data.registry import TRAIN_IMAGES, TRAIN_LABELS

TRAIN = 12_000
"""Training images, a twelfth of them for validation: an epoch in small batches prunes cnn5 well."""

PROGRAM = """
import sys
from pathlib import Path
from tests.digits import in_place_of_mnist
from tui.cli.main import main

with in_place_of_mnist(Path(sys.argv.pop(1))):
    sys.exit(main())
"""
"""The program, whose first argument is the folder of the part."""

_HEADERS = {TRAIN_IMAGES: 16, TRAIN_LABELS: 8}
"""Bytes before the values; bytes 4 to 7 hold the number of images."""


def write(whole: Path, data_dir: Path) -> Path:
    """Write the first training images of the data folder `whole`, and all test images."""
    folder = data_dir / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for source in (whole / "MNIST" / "raw").glob("*-ubyte"):
        data = source.read_bytes()
        if header := _HEADERS.get(source.name):
            size = (len(data) - header) // int.from_bytes(data[4:8])
            data = data[:4] + TRAIN.to_bytes(4) + data[8 : header + TRAIN * size]
        (folder / source.name).write_bytes(data)
    return data_dir
