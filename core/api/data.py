"""Data sets from images in memory or by name."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import streams
from core.api.operations import OnEvent, run
from core.data.batches import Images, Splits
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.splits import HELD_OUT
from core.errors import InputError
from core.events import StopFlag, never

Pixels = Tensor | NDArray[np.uint8]
Labels = Tensor | NDArray[np.int64]
Pair = tuple[Tensor, Tensor]


def splits(
    train: tuple[Pixels, Labels],
    validation: tuple[Pixels, Labels] | None = None,
    test: tuple[Pixels, Labels] | None = None,
) -> Splits:
    """Split images in memory into train, validation and test.

    A missing split gets every twelfth image of each class of `train`. Batches are normalized by
    the mean and standard deviation of the training pixels.

    Args:
        train: images [N, C, H, W] in uint8, and integer labels [N] from 0.
        validation: in the same form; used for every choice.
        test: in the same form; only reported.

    Returns:
        The three splits, with images in uint8.

    Raises:
        InputError: images and labels do not match, or are too few to hold any out.

    Example:
        >>> import core, torch
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> len(data.train), len(data.validation), len(data.test)
        (210, 10, 20)
    """
    parts = {"train": _checked(train, "train")}
    for name, part in (("test", test), ("validation", validation)):
        if part is None:
            parts["train"], parts[name] = _held_out(*parts["train"])
        else:
            parts[name] = _checked(part, name)
    pixels = parts["train"][0].to(torch.float32)
    mean, std = float(pixels.mean() / 255), float(pixels.std() / 255) or 1.0
    images = {name: Images(*part, mean, std) for name, part in parts.items()}
    return Splits(images["train"], images["validation"], images["test"])


def load(
    name: str = "mnist",
    data_dir: Path | str | None = None,
    inputs: Inputs = DEFAULT_INPUTS,
    *,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Splits:
    """Load a data set by name, and download missing files.

    Args:
        name: such as `mnist`; or `folder:PATH`, a folder with one folder of images per class.
        data_dir: folder of the files; None for the platform's cache folder.
        inputs: image size in pixels, channels and normalization.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked while waiting.

    Returns:
        The three splits, with images [N, C, H, W] in uint8.

    Raises:
        InputError: the data set is unknown, or its files cannot be used.
        WorkError: no source has the files.
        StoppedError: `stop` returned True.

    Example:
        >>> import core, pathlib, tempfile
        >>> from PIL import Image
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for number in range(48):
        ...     place = folder / ("light" if number % 2 else "dark")
        ...     place.mkdir(exist_ok=True)
        ...     Image.new("L", (8, 8), 128 * (number % 2)).save(place / f"{number}.png")
        >>> data = core.load(f"folder:{folder}")
        >>> data.train.images.shape[1:], sorted(set(data.train.labels.tolist()))
        (torch.Size([1, 8, 8]), [0, 1])
    """
    return run(streams.load(name, data_dir, inputs, stop), on_event)


def _checked(pair: tuple[Pixels, Labels], name: str) -> Pair:
    images, labels = (torch.as_tensor(part) for part in pair)
    if images.dim() != 4 or images.dtype != torch.uint8:
        kind = f"{list(images.shape)} in {images.dtype}"
        raise InputError(f"images of {name} are {kind}: expected [N, C, H, W] in uint8")
    if labels.shape != (len(images),) or labels.is_floating_point():
        kind, expected = f"{list(labels.shape)} in {labels.dtype}", f"[{len(images)}] integers"
        raise InputError(f"labels of {name} are {kind}: expected {expected}, one per image")
    return images, labels.to(torch.int64)


def _held_out(images: Tensor, labels: Tensor) -> tuple[Pair, Pair]:
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        held[(labels == label).nonzero()[HELD_OUT - 1 :: HELD_OUT]] = True
    if not held.any():
        expected = f"expected at least {HELD_OUT} per class to hold some out"
        raise InputError(f"{len(labels)} images: {expected}")
    return (images[~held], labels[~held]), (images[held], labels[held])
