"""A split of a data set as tensors, normalised a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.datasets import Dataset, Split

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Images:
    """Images [N, C, H, W] in uint8 and their labels [N], with what normalising them takes.

    Attributes:
        layout: of a batch in memory, and of the weights that it meets: channels_last is faster, but
            a net that calls `view` on its activations cannot take it.
    """

    images: Tensor
    labels: Tensor
    mean: float
    std: float
    layout: torch.memory_format = torch.channels_last

    @classmethod
    def of(cls, dataset: Dataset, split: Split, device: torch.device = CPU) -> Images:
        """The tensors of one split of `dataset`; on the processor they share its memory."""
        images, labels = torch.from_numpy(split.images), torch.from_numpy(split.labels)
        return cls(images.to(device), labels.to(device), dataset.mean, dataset.std)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.images.device

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images as (pixel / 255 - mean) / std, float32 in the layout, and their labels."""
        index = index if isinstance(index, slice) else index.to(self.device)
        pixels = self.images[index].to(torch.float32, memory_format=self.layout)
        return pixels.sub_(255 * self.mean).div_(255 * self.std), self.labels[index]


@dataclass(frozen=True, eq=False)
class Splits:
    """The three splits of a data set as tensors; two of them may be the same object.

    Attributes:
        fingerprint: which images these are, where the name of the data set does not say.
    """

    train: Images
    validation: Images
    test: Images
    fingerprint: str = ""

    def laid_out(self, layout: torch.memory_format) -> Splits:
        """The same images, whose batches have another layout in memory."""
        train, validation, test = (
            replace(split, layout=layout) for split in (self.train, self.validation, self.test)
        )
        validation = test if self.validation is self.test else validation
        return Splits(train, validation, test, self.fingerprint)

    @classmethod
    def of(cls, dataset: Dataset, device: torch.device = CPU) -> Splits:
        """The tensors of all splits of `dataset`; on the processor they share its memory."""
        test = Images.of(dataset, dataset.test, device)
        same = dataset.validation is dataset.test
        validation = test if same else Images.of(dataset, dataset.validation, device)
        train = Images.of(dataset, dataset.train, device)
        return cls(train, validation, test, dataset.fingerprint)
