"""A split of a data set as tensors, normalized one batch at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor

from core.data.inputs import Inputs, Scale
from core.data.registry import GRAY
from core.data.splits import Dataset, Split

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Images:
    """Images [N, C, H, W] in uint8, their labels [N], and how to normalize them.

    Attributes:
        mean, std: for pixels scaled to 0..1; one number, or one per channel as [1, C, H, W], which
            normalizes a batch many times faster than [C, 1, 1].
        layout: memory layout of batches: channels_last is faster, but a net that calls `view` on
            its activations needs contiguous_format.
        size: batches are resized to this side in pixels, unless None.
        channels: images are converted to this many channels, unless None: gray ones repeated,
            colors weighted.
    """

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    mean: float | Tensor
    std: float | Tensor
    layout: torch.memory_format = torch.channels_last
    size: int | None = None
    channels: int | None = None

    @classmethod
    def of(cls, dataset: Dataset, split: Split, device: torch.device) -> Self:
        """The tensors of one split of `dataset`; on the CPU they share its memory."""
        height, width = split.images.shape[2:]
        size = (dataset.image_size or height, dataset.image_size or width)
        return cls(
            torch.from_numpy(split.images).to(device),
            torch.from_numpy(split.labels).to(device),
            _per_channel(dataset.mean, size, device),
            _per_channel(dataset.std, size, device),
            size=dataset.image_size,
            channels=dataset.channels,
        )

    @property
    def device(self) -> torch.device:
        """The device of the tensors."""
        return self.images.device

    def __len__(self) -> int:
        return len(self.labels)

    def on(self, device: torch.device) -> Self:
        """The same images on another device."""
        tensors: dict[str, Any] = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **tensors)

    @property
    def values(self) -> int:
        """The number of values in one image of a batch."""
        channels, height, width = self.images.shape[1:]
        return (self.size or height) * (self.size or width) * (self.channels or channels)

    @property
    def inputs(self) -> Inputs:
        """The settings of a batch's images, rounded to six decimals; no size if not square."""
        channels, height, width = self.images.shape[1:]
        side = self.size or (height if height == width else None)
        mean, std = (
            tuple(round(value, 6) for value in scale[0, :, 0, 0].tolist())
            if isinstance(scale, Tensor)
            else (round(scale, 6),)
            for scale in (self.mean, self.std)
        )
        return Inputs(side, self.channels or channels, mean, std)

    def batch(
        self, index: Tensor | slice, augment: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Images as (pixel / 255 - mean) / std, float32 in the layout, and their labels.

        `augment` changes the pixels [N, C, H, W] as stored.
        """
        index = index if isinstance(index, slice) else index.to(self.device)
        pixels = self.images[index]
        if augment is not None:
            pixels = augment(pixels)
        pixels = pixels.to(torch.float32, memory_format=self.layout)
        if self.size is not None:
            pixels = F.interpolate(pixels, [self.size] * 2, mode="bilinear", antialias=True)
        if self.channels is not None:
            pixels = _converted(pixels, self.channels)
        pixels = pixels.contiguous(memory_format=self.layout)
        return pixels.sub_(255 * self.mean).div_(255 * self.std), self.labels[index]


@dataclass(frozen=True, eq=False)
class Splits:
    """The three splits of a data set as tensors; validation and test may be the same object.

    Attributes:
        fingerprint: identifies the images where the data set's name does not.
        class_names: by label, such as an image folder's; empty if classes have no other names.
    """

    train: Images
    validation: Images
    test: Images
    fingerprint: str = ""
    class_names: tuple[str, ...] = ()

    def with_layout(self, layout: torch.memory_format) -> Self:
        """The same images, with batches in another memory layout."""
        return self._each(lambda split: replace(split, layout=layout))

    def on(self, device: torch.device) -> Self:
        """The same images on another device."""
        if all(split.device == device for split in (self.train, self.validation, self.test)):
            return self
        return self._each(lambda split: split.on(device))

    def _each(self, change: Callable[[Images], Images]) -> Self:
        """Apply `change` to all splits; a shared one stays shared."""
        train, test = change(self.train), change(self.test)
        validation = test if self.validation is self.test else change(self.validation)
        return replace(self, train=train, validation=validation, test=test)

    @classmethod
    def of(cls, dataset: Dataset, device: torch.device = CPU) -> Self:
        """The tensors of all splits of `dataset`; on the CPU they share its memory."""
        test = Images.of(dataset, dataset.test, device)
        same = dataset.validation is dataset.test
        validation = test if same else Images.of(dataset, dataset.validation, device)
        train, names = Images.of(dataset, dataset.train, device), dataset.class_names
        return cls(train, validation, test, dataset.fingerprint, names)


def _converted(pixels: Tensor, channels: int) -> Tensor:
    """Images [N, C, H, W] as gray or color."""
    if channels == 1 < pixels.shape[1]:
        shares = torch.tensor(GRAY, device=pixels.device)[:, None, None]
        return (pixels * shares).sum(1, keepdim=True)
    return pixels.expand(-1, channels, -1, -1)


def _per_channel(scale: Scale, size: tuple[int, int], device: torch.device) -> float | Tensor:
    """A single number unchanged, or one per channel as [1, C, H, W] in a batch's layout."""
    if isinstance(scale, float):
        return scale
    expanded = torch.tensor(scale, device=device)[None, :, None, None].expand(-1, -1, *size)
    return expanded.contiguous(memory_format=torch.channels_last)
