"""A folder of images by class: what it holds, and which of it is for training, choosing, reporting.

    PATH/cat/1.png, PATH/dog/a/b.jpg            the splits are made
    PATH/train/cat/1.png, PATH/test/cat/7.png   existing splits are kept, missing ones made

Validation may be called `val`, `valid` or `validation`. Missing splits are held out of train:
every twelfth image of each class, in an order drawn from a fixed seed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.events import Notice, Stream

NAMES = {
    "train": ("train",),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}
"""The names a split's folder may have."""

SHARE, SEED = 12, 0

PLACES = {"test": SHARE - 1, "validation": SHARE // 2 - 1}
"""Which image of each dozen of a class is held out for a split."""

Samples = tuple[tuple[Path, int], ...]
"""Files, and the class of each."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds.

    Attributes:
        classes: the names of the classes, in order.
        train, validation, test: the files of each split, in the order of their names.
    """

    root: Path
    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples

    @property
    def samples(self) -> Samples:
        """All of them, split after split."""
        return (*self.train, *self.validation, *self.test)


def read_folder(root: Path) -> Stream[Folder]:
    """Read what a folder holds, with a notice for each split that is made.

    Raises:
        InputError: it cannot be opened, has no images, an empty class or only one class; a split
            has different classes; or there are too few images to hold any out.
    """
    _check_access(root)
    found = {split: _sub_folder(root, names) for split, names in NAMES.items()}
    if found["train"] is None:
        if any(found.values()):
            there = ", ".join(str(path) for path in found.values() if path)
            raise InputError(f"{root} has {there} but no folder train: expected one next to it")
        found = {"train": root}
    parts = {split: _samples(path) for split, path in found.items() if path is not None}
    classes = parts["train"][0]
    _check(root, classes, {split: names for split, (names, _) in parts.items()})
    samples = {split: files for split, (_, files) in parts.items()}
    if empty := set(range(len(classes))) - {label for _, label in samples["train"]}:
        names = ", ".join(classes[label] for label in sorted(empty))
        raise InputError(
            f"{found['train']} has no images of {names}: add some or remove these folders"
        )
    whole = len(samples["train"])
    missing = [split for split in PLACES if split not in samples]
    samples |= _held_out(samples["train"], missing)
    for split in missing:
        if not samples[split]:
            raise InputError(
                f"{root} has {whole} images: expected at least {SHARE} per class to hold some out, "
                "or folders train, val and test"
            )
        yield Notice(
            f"{root} has no {split} split: held out {len(samples[split]):,} of {whole:,} images, "
            f"every twelfth of each class (seed {SEED})"
        )
    return Folder(root, classes, samples["train"], samples["validation"], samples["test"])


def _sub_folder(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _samples(folder: Path) -> tuple[tuple[str, ...], Samples]:
    """The classes of a folder and its files, as torchvision's ImageFolder finds them.

    But for hidden folders, which are no classes.
    """
    from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

    _check_access(folder)
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    classes = {path.name: path for path in inside if not path.name.startswith(".")}
    if not classes:
        raise InputError(f"{folder} has no folders: expected one folder of images per class")
    for path in classes.values():
        _check_access(path)
    places = {name: place for place, name in enumerate(classes)}
    found = make_dataset(str(folder), places, extensions=IMG_EXTENSIONS, allow_empty=True)
    if not found:
        known = ", ".join(sorted(IMG_EXTENSIONS))
        raise InputError(f"{folder} has no images: expected files ending in {known}")
    return tuple(classes), tuple((Path(path), label) for path, label in found)


def _check_access(folder: Path) -> None:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"cannot open {folder}: {os.strerror(errno.EACCES)}")


def _check(root: Path, classes: tuple[str, ...], parts: dict[str, tuple[str, ...]]) -> None:
    if len(classes) < 2:
        raise InputError(f"{root} has only one class, {classes[0]}: expected at least two folders")
    for split, names in parts.items():
        if names != classes:
            odd = sorted(set(names) ^ set(classes))
            raise InputError(
                f"split {split} of {root} has different classes than train: "
                f"{', '.join(odd[:5])} in only one of them"
            )


def _held_out(samples: Samples, splits: Sequence[str]) -> dict[str, Samples]:
    """Splits taken out of train, and what is left of that."""
    labels = np.array([label for _, label in samples])
    order = np.random.default_rng(SEED).permutation(len(samples))
    taken: dict[str, set[int]] = {split: set() for split in splits}
    for label in np.unique(labels):
        own = order[labels[order] == label]
        for split in splits:
            taken[split].update(own[PLACES[split] :: SHARE].tolist())
    taken["train"] = set(range(len(samples))).difference(*taken.values())
    return {
        split: tuple(sample for place, sample in enumerate(samples) if place in places)
        for split, places in taken.items()
    }
