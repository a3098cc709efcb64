"""From the file of an image to pixels of the size and the channels that all are made to have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.data.folders.image_folder import Samples
from core.data.inputs import Inputs
from core.errors import InputError

SMALLEST, LARGEST = 8, 224
"""The side of an image in pixels where sizes differ or are large, unless it is given."""

LOOKED_AT = 256
"""Images whose headers say what size and how many channels there are."""

_DEEP = ("I", "I;16", "I;16L", "I;16B")
"""How Pillow calls images of 16 bits a pixel."""

_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for a file that is no image, cut off, damaged, or far too large."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What every image is made to be."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        """Width by height."""
        return f"{self.width}x{self.height}"

    @property
    def bytes(self) -> int:
        """Of one image."""
        return self.channels * self.height * self.width


def shape_of(samples: Samples, inputs: Inputs) -> Shape:
    """The size and the channels that are given, or else worked out from some of the images.

    That is the size that all have; where they differ or are large, a square of the middle one, held
    between `SMALLEST` and `LARGEST`. One channel if all are grey.

    Raises:
        InputError: of those that are looked at, no image can be read.
    """
    sizes, grey = [], True
    for path, _ in samples[:: max(1, len(samples) // LOOKED_AT)]:
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
                grey = grey and image.mode in ("1", "L", "LA", *_DEEP)
        except _UNREADABLE:
            continue
    if not sizes:
        raise InputError(f"no image can be read, of {len(samples)} such as {samples[0][0]}")
    width, height = sizes[0]
    if inputs.image_size is not None:
        width = height = inputs.image_size
    elif len(set(sizes)) > 1 or max(width, height) > LARGEST:
        side = round(median(min(size) for size in sizes))
        width = height = min(max(side, SMALLEST), LARGEST)
    return Shape(inputs.channels or (1 if grey else 3), height, width)


def read_image(path: Path, shape: Shape) -> tuple[NDArray[np.uint8], bool] | None:
    """The pixels [C, H, W] of an image, and whether it had to be resized; None if unreadable."""
    size = (shape.width, shape.height)
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in _DEEP:  # it would be cut off at 255, not scaled
                upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
            plain = upright.convert("L" if shape.channels == 1 else "RGB")
            resized = plain.size != size
            if resized:
                plain = ImageOps.fit(plain, size)
            pixels = np.asarray(plain, dtype=np.uint8)
    except _UNREADABLE:
        return None
    return (pixels[None] if shape.channels == 1 else pixels.transpose(2, 0, 1)), resized
