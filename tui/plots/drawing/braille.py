"""Small gray images in braille: eight dots per cell."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Picture = NDArray[np.float64]
"""Gray values [H, W] from 0 to 1."""

# The bit of each dot of a cell, row by row.
_BITS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
# Fraction of the brightest dot: less fills loops, more breaks one-pixel strokes.
_BRIGHT = 0.4
# Fraction of the brightest pixel: darker ones are blank.
_INK = 0.15
# Beyond any pixel.
_LIMIT = 1e15


def to_gray(pixels: ArrayLike) -> Picture:
    """Return a picture [H, W] from 0 to 1, the mean of its channels; blank if uniform."""
    picture: Picture = np.nan_to_num(np.asarray(pixels, dtype=float)).clip(-_LIMIT, _LIMIT)
    if not picture.size:
        return np.zeros((1, 1))
    picture = np.atleast_2d(picture)
    picture = picture.mean(axis=tuple(range(picture.ndim - 2)))
    low, high = picture.min(), picture.max()
    spread = high - low
    return (picture - low) / spread if spread > 0 else np.zeros_like(picture)


def crop(pictures: Sequence[Picture]) -> list[Picture]:
    """Crop the border that is blank in all images; only if they have the same size."""
    if len({picture.shape for picture in pictures}) != 1:
        return list(pictures)
    ink = np.max(pictures, axis=0) > _INK
    if not ink.any():
        return list(pictures)
    ys, xs = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return [picture[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1] for picture in pictures]


def braille(picture: Picture, scale: float, width: int, height: int) -> list[str]:
    """Draw a picture [H, W] at the bottom center of an area of cells; `scale` is dots per pixel."""
    rows, columns = (max(1, int(size * scale + 1e-9)) for size in picture.shape)
    small = _means(picture.shape[0], rows) @ picture @ _means(picture.shape[1], columns).T
    # At the bottom, next to the text below.
    top, left = 4 * height - rows, max(0, (2 * width - columns) // 2)
    dots = np.zeros((4 * height, 2 * width), dtype=int)
    dots[top : top + rows, left : left + columns] = small > _BRIGHT * max(small.max(), 1e-9)
    cells = dots.reshape(height, 4, width, 2).transpose(0, 2, 1, 3)
    codes = (cells * _BITS).sum(axis=(2, 3))
    return ["".join(chr(0x2800 + code) if code else " " for code in row) for row in codes.tolist()]


def _means(pixels: int, dots: int) -> Picture:
    """Return the weight [dots, pixels] of each pixel in each dot, along one side."""
    edges = np.linspace(0, pixels, dots + 1)
    starts = np.arange(pixels)
    low = np.maximum(edges[:-1, None], starts)
    high = np.minimum(edges[1:, None], starts + 1)
    shares: Picture = np.maximum(0, high - low)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
