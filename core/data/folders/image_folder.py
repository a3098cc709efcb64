"""A folder of images by class: its classes and splits.

    PATH/cat/1.png, PATH/dog/a/b.jpg            validation and test are held out
    PATH/train/cat/1.png, PATH/test/cat/7.png   validation is held out of train

The validation folder may be called `val`, `valid` or `validation`. Held out is every twelfth image
of each class, in an order drawn from a fixed seed.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from core.data.folders.image_files import ImageFiles, identity
from core.data.splits import HELD_OUT
from core.errors import InputError
from core.events import Notice, Stream

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""How the names of images end, as torchvision's do."""

_NAMES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
"""The names a split's folder may have."""

_SEED = 0

_OFFSETS = {"test": 11, "validation": 5}
"""Which image of every twelve of a class is held out for a split."""

Samples = tuple[tuple[Path, int], ...]
"""Files with their class indices."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An image folder: the names of its classes, and the files of each split, sorted."""

    root: Path
    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples

    @property
    def samples(self) -> Samples:
        """The files of all splits."""
        return (*self.train, *self.validation, *self.test)


def read_folder(root: Path) -> Stream[Folder]:
    """List an image folder, with a notice for each split held out.

    Raises:
        InputError: it cannot be opened, has no images, an empty class or only one class; a split
            has different classes; or there are too few images to hold any out.
    """
    _check_access(root)
    folders = {
        split: root / name
        for split, names in _NAMES.items()
        for name in reversed(names)  # of several, the first is used
        if (root / name).is_dir()
    }
    if folders and "train" not in folders:
        present = ", ".join(map(str, folders.values()))
        raise InputError(f"{root} has {present} but no train folder: expected one next to it")
    folders = folders or {"train": root}
    for split in _without_twins(folders):
        yield Notice(f"{root}: {split} is the same folder as another split", warning=True)
    parts, notices = _samples(root, folders)
    yield from notices
    classes = parts["train"][0]
    _check(root, classes, {split: names for split, (names, _) in parts.items()})
    samples = {split: files for split, (_, files) in parts.items()}
    if empty := set(range(len(classes))) - {label for _, label in samples["train"]}:
        names = ", ".join(classes[label] for label in sorted(empty))
        raise InputError(
            f"{folders['train']} has no images of {names}: add some or remove these folders"
        )
    count = len(samples["train"])
    missing = [split for split in _OFFSETS if split not in samples]
    samples |= _hold_out(samples["train"], missing)
    for split in missing:
        if not samples[split]:
            raise InputError(
                f"{root} has {count} images: expected at least {HELD_OUT} per class to hold some "
                "out, or folders train, val and test"
            )
        yield Notice(
            f"{root} has no {split} split: held out {len(samples[split]):,} of {count:,} images, "
            f"every twelfth of each class (seed {_SEED})"
        )
    return Folder(root, classes, samples["train"], samples["validation"], samples["test"])


def _without_twins(folders: dict[str, Path]) -> list[str]:
    """Give splits that are the same real folder one path; returns those that got another's."""
    firsts: dict[object, Path] = {}
    paths = {split: firsts.setdefault(identity(path), path) for split, path in folders.items()}
    twins = [split for split, path in paths.items() if path != folders[split]]
    folders |= paths
    return twins


def _samples(
    root: Path, folders: Mapping[str, Path]
) -> tuple[dict[str, tuple[tuple[str, ...], Samples]], tuple[Notice, ...]]:
    """The classes of each split's folder and its files; skips hidden classes."""
    classes = {folder: class_folders(folder) for folder in dict.fromkeys(folders.values())}
    files = ImageFiles(root, classes, chain(*classes.values()), EXTENSIONS)
    parts = {}
    for split, folder in folders.items():
        samples = tuple(
            (path, label)
            for label, of_class in enumerate(classes[folder])
            for path in files.of_class(of_class)
        )
        if not samples:
            extensions = ", ".join(sorted(EXTENSIONS))
            raise InputError(f"{folder} has no images: expected files ending in {extensions}")
        parts[split] = tuple(path.name for path in classes[folder]), samples
    return parts, tuple(files.notices())


def class_folders(folder: Path) -> tuple[Path, ...]:
    """The folders of the classes in a folder, sorted; skips hidden ones."""
    _check_access(folder)
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    classes = tuple(path for path in entries if path.is_dir())
    if not classes:
        raise InputError(f"{folder} has no folders: expected one folder of images per class")
    for path in classes:
        _check_access(path)
    return classes


def _check_access(folder: Path) -> None:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"cannot open {folder}: {os.strerror(errno.EACCES)}")


def _check(root: Path, classes: tuple[str, ...], parts: dict[str, tuple[str, ...]]) -> None:
    if len(classes) < 2:
        raise InputError(f"{root} has only one class, {classes[0]}: expected at least two folders")
    for split, names in parts.items():
        if names != classes:
            different = ", ".join(sorted(set(names) ^ set(classes))[:5])
            raise InputError(
                f"split {split} of {root} has different classes than train: "
                f"{different} in only one of them"
            )


def _hold_out(samples: Samples, splits: Sequence[str]) -> dict[str, Samples]:
    """Take `splits` out of the training samples; returns them and the remaining `train`."""
    labels = np.array([label for _, label in samples])
    order = np.random.default_rng(_SEED).permutation(len(samples))
    split_of = np.full(len(samples), "train", dtype=object)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        for split in splits:
            split_of[members[_OFFSETS[split] :: HELD_OUT]] = split
    return {
        split: tuple(sample for sample, its in zip(samples, split_of, strict=True) if its == split)
        for split in ("train", *splits)
    }
