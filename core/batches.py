"""A split of a data set as tensors, normalised a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.datasets import Dataset, Split


@dataclass(frozen=True, eq=False)
class Images:
    """Images [N, C, H, W] in uint8 and their labels [N], with what normalising them takes."""

    images: Tensor
    labels: Tensor
    mean: float
    std: float

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> Images:
        """The tensors of one split of `dataset`; they share its memory."""
        images, labels = torch.from_numpy(split.images), torch.from_numpy(split.labels)
        return cls(images, labels, dataset.mean, dataset.std)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images as (pixel / 255 - mean) / std, float32 in channels_last, and their labels."""
        pixels = self.images[index].to(torch.float32, memory_format=torch.channels_last)
        return pixels.sub_(255 * self.mean).div_(255 * self.std), self.labels[index]


@dataclass(frozen=True, eq=False)
class Splits:
    """The three splits of a data set as tensors; two of them may be the same object."""

    train: Images
    validation: Images
    test: Images

    @classmethod
    def of(cls, dataset: Dataset) -> Splits:
        """The tensors of all splits of `dataset`; they share its memory."""
        test = Images.of(dataset, dataset.test)
        same = dataset.validation is dataset.test
        validation = test if same else Images.of(dataset, dataset.validation)
        return cls(Images.of(dataset, dataset.train), validation, test)
