"""A small data set in the place of MNIST: ten digits, drawn with strokes, in a few milliseconds.

Every image is a digit of a few straight strokes, turned, sheared, scaled and moved at random, by
a pen of random width, with some noise. The shipped nets read nineteen in twenty; a net learns them
in an epoch of two thousand. A seed gives the same images on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.formats import idx
from core.data.registry import (
    DATASETS,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    File,
    Files,
)

TRAIN, TEST = 2_400, 500
"""Images, of which a twelfth of the first is for validation."""

Floats = NDArray[np.float32]

_SIDE = 28

_STROKES: tuple[str, ...] = (
    "30 11 02 04 15 36 44 42 31 30",
    "11 20 26",
    "01 10 30 41 42 06 46",
    "00 30 41 32 13 32 44 45 36 06",
    "30 04 44 30 36",
    "40 10 03 33 44 45 36 06",
    "40 20 03 05 16 36 45 44 33 04",
    "00 40 32 26",
    "10 30 41 42 04 05 16 36 45 44 02 01 10",
    "43 13 02 01 10 30 41 43 36",
)
"""Corners of each digit, column and row, on a grid of 5 by 7."""


def draw(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [N, 28, 28] of digits in a random order, and which digits they are [N]."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count).astype(np.uint8)
    images = np.empty((count, _SIDE, _SIDE), np.uint8)
    for digit in range(10):
        where = np.flatnonzero(labels == digit)
        images[where] = _drawn(_corners(digit), len(where), random)
    return images, labels


def _corners(digit: int) -> Floats:
    """The corners of a digit [corners, (x, y)] around the origin, in pixels."""
    corners = np.array([[int(c) for c in corner] for corner in _STROKES[digit].split()], np.float32)
    return (corners - np.float32([2, 3])) * np.float32([2.7, 3.0])


def _drawn(corners: Floats, count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """`count` images [N, 28, 28] of one digit."""
    xs, ys = (
        coordinate[:, :, None] for coordinate in np.moveaxis(_moved(corners, count, random), 2, 0)
    )
    pen = random.uniform(0.8, 1.6, (count, 1)).astype(np.float32)
    rows, columns = (index.ravel()[None] for index in np.indices((_SIDE, _SIDE), np.float32))
    away = np.full((count, _SIDE * _SIDE), np.inf, np.float32)
    for corner in range(len(corners) - 1):
        dx, dy = xs[:, corner + 1] - xs[:, corner], ys[:, corner + 1] - ys[:, corner]
        x, y = columns - xs[:, corner], rows - ys[:, corner]
        along = np.clip((x * dx + y * dy) / (dx * dx + dy * dy), 0, 1)
        x -= along * dx
        y -= along * dy
        np.minimum(away, x * x + y * y, out=away)
    ink = np.clip(1.2 * (pen + 0.5 - np.sqrt(away)), 0, 1) * 255
    ink += 8 * random.standard_normal(ink.shape, np.float32) * (ink > 0)
    return np.clip(ink, 0, 255).astype(np.uint8).reshape(count, _SIDE, _SIDE)


def _moved(corners: Floats, count: int, random: np.random.Generator) -> Floats:
    """Corners [N, corners, (x, y)] on an image, turned, sheared, scaled and moved at random."""
    angle, shear = random.normal(0.0, 0.12, count), random.normal(0.1, 0.15, count)
    scale = random.uniform(0.85, 1.1, (2, count, 1))
    x, y = (corners[:, axis] * scale[axis] for axis in (0, 1))
    x = x - shear[:, None] * y
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = np.stack([cos * x - sin * y, sin * x + cos * y], axis=2)
    return (turned + random.uniform(-1.2, 1.2, (count, 1, 2)) + (_SIDE - 1) / 2).astype(np.float32)


def files() -> Files:
    """The files of a data set of digits, as MNIST has them."""
    images, labels = draw(TRAIN, seed=0)
    test_images, test_labels = draw(TEST, seed=1)
    return {
        TRAIN_IMAGES: idx.encode(images),
        TRAIN_LABELS: idx.encode(labels),
        TEST_IMAGES: idx.encode(test_images),
        TEST_LABELS: idx.encode(test_labels),
    }


def write(data_dir: Path) -> Path:
    """Write the files to a data folder, in torchvision's layout."""
    folder = data_dir / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files().items():
        (folder / name).write_bytes(data)
    return data_dir


@contextmanager
def in_place_of_mnist(data_dir: Path) -> Iterator[None]:
    """Replace `mnist` by the files `write` wrote to a data folder."""
    folder = data_dir / "MNIST" / "raw"
    contents = {name: (folder / name).read_bytes() for name in DATASETS["mnist"].files}
    made = {name: File(len(data), sha256(data).hexdigest()) for name, data in contents.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, "mnist", replace(DATASETS["mnist"], files=made))
        yield
