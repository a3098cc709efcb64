"""Random changes to the images of a training batch, on all of them at once.

Shifting, mirroring and cropping only move rows and columns, so a changed image is `R @ image @ C`:
the rows of R and the columns of C hold the weights of linear interpolation between two pixels, and
nothing where a pixel comes from outside the image, which is black. Whole pixels are exact.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from core.training.recipes import Augmentation

_SHIFT = 8
"""An image is shifted by at most this part of its sides, in whole pixels."""

_SMALLEST_CROP = 0.8
"""The least part of a side that a crop keeps."""


class Augmenter:
    """Changes the training images of one epoch.

    The random numbers depend only on the seed and the epoch: a resumed training draws the same, and
    the training's other generators are left alone.
    """

    def __init__(self, chosen: Sequence[Augmentation], seed: int, epoch: int) -> None:
        self._chosen = frozenset(chosen)
        state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
        self._random = Generator().manual_seed(int(state[0]))

    def __call__(self, pixels: Tensor) -> Tensor:
        """Change images [N, C, H, W] of any type, each differently; returns them as float32."""
        count, _, height, width = pixels.shape
        scale = 1 - self._drawn(count) * (1 - _SMALLEST_CROP if "crop" in self._chosen else 0)
        rows = self._positions(height, scale)
        columns = self._positions(width, scale)
        if "flip" in self._chosen:
            columns = torch.where(self._drawn(count) < 0.5, columns, width - 1 - columns)
        to_rows, to_columns = (
            _weights(places.to(pixels.device), size)
            for places, size in ((rows, height), (columns, width))
        )
        return to_rows[:, None] @ pixels.float() @ to_columns[:, None].mT

    def _positions(self, size: int, scale: Tensor) -> Tensor:
        """The place in the image [N, size] that each row or column of a changed one is from."""
        centers = torch.arange(size, dtype=torch.float32) + 0.5
        start = self._drawn(len(scale)) * (1 - scale) * size
        places = (start + centers * scale - 0.5).clamp_(0, size - 1)
        if "shift" in self._chosen:
            most = max(1, size // _SHIFT)
            shape = (len(scale), 1)
            places += torch.randint(-most, most + 1, shape, generator=self._random)
        return places

    def _drawn(self, count: int) -> Tensor:
        """A random number in [0, 1) for each image [N, 1]."""
        return torch.rand(count, 1, generator=self._random)


def _weights(places: Tensor, size: int) -> Tensor:
    """Interpolation weights [N, outputs, size] of the pixels next to each place [N, outputs]."""
    distance = places[..., None] - torch.arange(size, device=places.device)
    return (1 - distance.abs_()).clamp_(min=0)
