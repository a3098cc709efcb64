"""Folders of images by class, drawn for the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Draw = Callable[[int, int], Image.Image]
"""Returns the image for a class index and an image number."""

SIZES = ((32, 32), (40, 32), (36, 48), (32, 32))
"""Sizes of the images that `spotted` draws, in turn; most have a smaller side of 32."""


def shade(
    label: int, number: int, size: tuple[int, int] = (28, 28), mode: str = "L"
) -> Image.Image:
    """An image whose brightness encodes its class, and its first pixel its number."""
    pixels = np.full((size[1], size[0]), 40 + 80 * label, np.uint8)
    pixels[0, 0] = number
    return Image.fromarray(pixels).convert(mode)


def spotted(label: int, number: int) -> Image.Image:
    """Colored noise in one of several sizes; the class decides which color is strongest."""
    width, height = SIZES[number % len(SIZES)]
    pixels = np.random.default_rng([label, number]).integers(0, 160, (height, width, 3), np.uint8)
    pixels[:, :, label] += 80
    return Image.fromarray(pixels)


def fill(
    root: Path, each: int, draw: Draw = shade, classes: tuple[str, ...] = ("cat", "dog")
) -> Path:
    """A folder with `each` images per class."""
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            draw(label, number).save(root / name / f"{number:03}.png")
    return root
