"""Train, validation and test in memory.

Validation is a fixed, stratified twelfth of the training images: sorted by label (stably), every
twelfth one (11, 23, ...). Both parts keep the order of the file. No random generator is involved,
so the splits are the same for every seed, version and machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.class_names import CLASS_NAMES
from core.data.inputs import Inputs, Scale
from core.data.registry import Description

HELD_OUT = 12
"""One in this many images of a class is held out; image folders and `core.splits` follow it."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images [N, C, H, W] and their labels [N]."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set under a protocol.

    Attributes:
        name: as in `load`.
        protocol: `default` trains on eleven twelfths of the training images and validates on the
            rest; `reference` trains on all of them and validates on test, as the notebook does.
        mean, std: for pixels scaled to 0..1: computed from the training pixels unless set.
        validation: for every decision; under `reference` it is `test` itself.
        test: only reported.
        fingerprint: identifies the images where the name does not.
        image_size, channels: batches are converted to these, unless None.
        class_names: by label; empty if classes have no other names.
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
    class_names: tuple[str, ...] = ()


def validation_indices(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The training images held out for validation: indices [N // 12], ascending, of labels [N]."""
    by_label = np.argsort(labels, kind="stable")
    return np.sort(by_label[HELD_OUT - 1 :: HELD_OUT])


def split(
    description: Description, train: Split, test: Split, protocol: str, inputs: Inputs
) -> Dataset:
    """Split a data set's images under one of `PROTOCOLS`.

    Raises InputError if the normalization does not match the channels.
    """
    validation = test
    if protocol != "reference":
        train, validation = _hold_out(train)
    other = inputs.beyond(description.inputs)
    channels = other.channels or description.channels
    mean, std = other.normalization(channels, *description.scales(channels))
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
        class_names=CLASS_NAMES.get(description.name, ()),
    )


def _hold_out(images: Split) -> tuple[Split, Split]:
    held_out = np.zeros(len(images.labels), dtype=bool)
    held_out[validation_indices(images.labels)] = True
    train, validation = (
        Split(images.images[mask], images.labels[mask]) for mask in (~held_out, held_out)
    )
    return train, validation
