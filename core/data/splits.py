"""Train, validation and test in memory.

Validation is a fixed, stratified twelfth of the training images: with these ordered by label (a
stable sort), every twelfth (11, 23, ...) is for validation. Both parts keep the order of the file.
No random generator is involved, so the splits are the same for every seed, version and machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data import idx
from core.data.inputs import DEFAULT_INPUTS, Inputs, Scale
from core.data.registry import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    Description,
)

PROTOCOLS = ("default", "reference")

_TWELFTH = 12


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images and their labels.

    Attributes:
        images: uint8 [N, C, H, W].
        labels: int64 [N].
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set under a protocol.

    Attributes:
        name: as in `load`.
        protocol: `default` trains on eleven twelfths of the training images and chooses on the
            rest; `reference` trains on all of them and chooses on test, as the notebook does.
        classes: number of classes.
        mean: of the training pixels, scaled to 0..1, unless it was given; by channel or for all.
        std: standard deviation of the same.
        train: what is trained on.
        validation: what choices look at; under `reference` it is `test` itself.
        test: what is only reported.
        fingerprint: which images these are, where the name does not say.
        image_size, channels: what the images are made to have when a batch of them is; None leaves
            them as they are.
    """

    name: str
    protocol: str
    classes: int
    mean: Scale
    std: Scale
    train: Split
    validation: Split
    test: Split
    fingerprint: str = ""
    image_size: int | None = None
    channels: int | None = None


def validation_indices(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the training images that are for validation.

    Args:
        labels: [N] of all training images.

    Returns:
        [N // 12], ascending.
    """
    by_label = np.argsort(labels, kind="stable")
    return np.sort(by_label[_TWELFTH - 1 :: _TWELFTH])


def split(
    description: Description,
    files: dict[str, bytearray],
    protocol: str,
    inputs: Inputs = DEFAULT_INPUTS,
) -> Dataset:
    """Cut a data set's checked files into its splits under a protocol of `PROTOCOLS`.

    Raises:
        InputError: what is given of size, channels and normalisation does not go together.
    """
    everything = _read(files[TRAIN_IMAGES], files[TRAIN_LABELS])
    test = _read(files[TEST_IMAGES], files[TEST_LABELS])
    train, validation = (everything, test) if protocol == "reference" else _hold_out(everything)
    other = inputs.beyond(description.inputs)
    channels = other.channels or description.channels
    mean, std = other.normalization(channels, description.mean, description.std)
    return Dataset(
        name=description.name,
        protocol=protocol,
        classes=description.classes,
        mean=mean,
        std=std,
        train=train,
        validation=validation,
        test=test,
        fingerprint=other.flags,
        image_size=other.image_size,
        channels=other.channels,
    )


def _read(images: bytearray, labels: bytearray) -> Split:
    return Split(idx.decode(images)[:, None], idx.decode(labels).astype(np.int64))


def _hold_out(everything: Split) -> tuple[Split, Split]:
    held = np.zeros(len(everything.labels), dtype=bool)
    held[validation_indices(everything.labels)] = True
    return _where(everything, ~held), _where(everything, held)


def _where(split: Split, chosen: NDArray[np.bool_]) -> Split:
    return Split(split.images[chosen], split.labels[chosen])
