"""Image files read as pixels of one size and number of channels."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.data.folders.image_folder import Samples
from core.data.inputs import Inputs
from core.errors import InputError

SMALLEST, LARGEST = 8, 224
"""Limits in pixels for the side of images whose sizes differ or are large, unless set."""

MOST_PIXELS = 89_478_485
"""Larger images are left out: a small file that takes gigabytes is an attack, or a mistake.

Pillow warns above this size, and refuses twice as many pixels.
"""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # notices name them

_HEADERS = 256
"""How many image headers decide size and channels."""

_DEEP = ("I", "I;16", "I;16L", "I;16B")
"""Pillow's names for images with 16 bits per pixel."""

_UNREADABLE = (OSError, ValueError, SyntaxError)
"""What Pillow raises for a file that is not an image, or is damaged."""

Fault = Literal["unreadable", "too large"]
"""Why an image is left out."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape every image is converted to."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        """Width by height."""
        return f"{self.width}x{self.height}"

    @property
    def bytes(self) -> int:
        """The bytes of one image."""
        return self.channels * self.height * self.width


def shape_of(samples: Samples, inputs: Inputs) -> Shape:
    """The requested size and channels; those not set are inferred from some of the images.

    If all of these have the same size, that is the size; if sizes differ or are large, it is a
    square of the median size, clipped to `SMALLEST`..`LARGEST`. One channel if all are gray.

    Raises:
        InputError: none of the images tried can be read.
    """
    sizes, gray = [], True
    for path, _ in samples[:: max(1, len(samples) // _HEADERS)]:
        try:
            with Image.open(path) as image:
                if _too_large(image):
                    continue
                sizes.append(image.size)
                gray = gray and image.mode in ("1", "L", "LA", *_DEEP)
        except (*_UNREADABLE, Image.DecompressionBombError):
            continue
    if not sizes:
        raise InputError(f"no readable image among those tried, such as {samples[0][0]}")
    width, height = sizes[0]
    if inputs.image_size is not None:
        width = height = inputs.image_size
    elif len(set(sizes)) > 1 or max(width, height) > LARGEST:
        side = round(median(min(size) for size in sizes))
        width = height = min(max(side, SMALLEST), LARGEST)
    return Shape(inputs.channels or (1 if gray else 3), height, width)


def read_image(path: Path, shape: Shape) -> tuple[NDArray[np.uint8], bool] | Fault:
    """The pixels [C, H, W] of an image, and whether it had to be resized; or what is wrong."""
    size = (shape.width, shape.height)
    try:
        with Image.open(path) as image:
            if _too_large(image):
                return "too large"
            upright = ImageOps.exif_transpose(image)
            if upright.mode in _DEEP:  # convert() would clip at 255, not scale
                upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
            plain = upright.convert("L" if shape.channels == 1 else "RGB")
            resized = plain.size != size
            if resized:
                plain = ImageOps.fit(plain, size)
            pixels = np.asarray(plain, dtype=np.uint8)
    except Image.DecompressionBombError:
        return "too large"
    except _UNREADABLE:
        return "unreadable"
    return (pixels[None] if shape.channels == 1 else pixels.transpose(2, 0, 1)), resized


def _too_large(image: Image.Image) -> bool:
    return image.width * image.height > MOST_PIXELS
