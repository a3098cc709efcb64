"""A folder's images, decoded once into a file of pixels that is mapped into memory, not read.

The file lies in the cache under what decides its contents: the images' names, sizes and times.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.datasets.folder import Folder, Samples
from core.datasets.splits import Dataset, Split
from core.errors import InputError, StoppedError
from core.events import Notice, Progress, StopFlag, Stream

_ABANDONED = 86_400.0
"""Seconds after which what is being decoded is not any more."""

SMALLEST, LARGEST = 8, 224
"""The side of an image in pixels where sizes differ: their median, held between these."""

LOOKED_AT = 256
"""Images whose headers say what size and how many channels there are."""

NAMED = 3
"""Images that cannot be read that are named one by one."""

_DEEP = ("I", "I;16", "I;16L", "I;16B")
"""How Pillow calls images of 16 bits a pixel."""

_PIXELS, _FACTS = "pixels.u8", "facts.json"
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for a file that is no image, cut off, damaged, or far too large."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What every image is made to be."""

    channels: int
    height: int
    width: int

    @property
    def bytes(self) -> int:
        """Of one image."""
        return self.channels * self.height * self.width


def decoded(folder: Folder, cache: Path, protocol: str, stop: StopFlag) -> Stream[Dataset]:
    """The images of a folder as a data set: decoded now, or mapped from the cache.

    Raises:
        InputError: a class has no image that can be read, or there is no space to decode to.
        StoppedError: `stop` was raised.
    """
    digest = _fingerprint(folder)
    home = cache / digest
    facts = _known(home)
    if facts is None:
        yield from _decode(folder, _shape(folder.samples), home, stop)
        facts = _known(home)
    if facts is None:
        raise InputError(f"{home} does not keep what is decoded to it")
    for text in facts["said"]:
        yield Notice(text, warning=True)
    return _mapped(folder, home, facts, protocol, digest)


def _known(home: Path) -> dict[str, Any] | None:
    """What was decoded; None where it is not there, or not whole."""
    try:
        facts: dict[str, Any] = json.loads((home / _FACTS).read_text(encoding="utf-8"))
        images = sum(len(labels) for labels in facts["labels"].values())
        whole = (home / _PIXELS).stat().st_size == images * math.prod(facts["shape"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return facts if whole else None


def _fingerprint(folder: Folder) -> str:
    digest = hashlib.sha256(f"{folder.classes} {SMALLEST} {LARGEST}".encode())
    for part in (folder.train, folder.validation, folder.test):
        for path, label in part:
            row = (str(path.relative_to(folder.root)), label, *_size_and_time(path))
            digest.update(repr(row).encode())
        digest.update(b"--")
    return digest.hexdigest()[:16]


def _size_and_time(path: Path) -> tuple[int, int]:
    """Of a file; of one that has gone, or that a link leads to nowhere, nothing."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _shape(samples: Samples) -> Shape:
    """The size that all images have, or a square of the middle one; one channel if all are grey."""
    sizes, grey = [], True
    for path, _ in samples[:: max(1, len(samples) // LOOKED_AT)]:
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
                grey = grey and image.mode in ("1", "L", "LA", *_DEEP)
        except _UNREADABLE:
            continue
    if not sizes:
        raise InputError(f"no image can be read, of {len(samples)} such as {samples[0][0]}")
    width, height = sizes[0]
    if len(set(sizes)) > 1:
        side = round(median(min(size) for size in sizes))
        width = height = min(max(side, SMALLEST), LARGEST)
    return Shape(1 if grey else 3, height, width)


def _decode(folder: Folder, shape: Shape, home: Path, stop: StopFlag) -> Stream[None]:
    """Fill a folder beside its place, and move it there when it is whole."""
    needed = shape.bytes * len(folder.samples)
    _tidy(home, folder.root)
    work = home.with_name(f".{home.name}-{uuid4().hex}")
    try:
        work.mkdir(parents=True)
        if shutil.disk_usage(work).free < needed:
            raise InputError(f"{needed / 1e6:,.0f} MB are needed in {home.parent} to decode to")
        facts = yield from _filled(folder, shape, work / _PIXELS, stop)
        (work / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        if not home.exists():
            os.rename(work, home)
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"cannot decode to {home.parent}: {why}; free some space") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _tidy(home: Path, root: Path) -> None:
    """Remove what a killed process has left, and the same folder as it was before."""
    for path in home.parent.iterdir() if home.parent.is_dir() else ():
        hidden = path.name.startswith(".")
        killed = hidden and time.time() - path.stat().st_mtime > _ABANDONED
        known = None if hidden else _known(path)
        if killed or path == home or (known and known.get("root") == str(root)):
            shutil.rmtree(path, ignore_errors=True)


def _filled(folder: Folder, shape: Shape, target: Path, stop: StopFlag) -> Stream[dict[str, Any]]:
    """Decode every image into `target`; gives what is known of them."""
    labels: dict[str, list[int]] = {}
    bad: list[Path] = []
    resized, done, whole = 0, 0, len(folder.samples)
    total = squares = values = 0.0
    with target.open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        for split in ("train", "validation", "test"):
            labels[split] = []
            for (path, label), found in _in_order(pool, getattr(folder, split), shape):
                if stop():
                    raise StoppedError("stopped: the images are not decoded yet")
                done += 1
                yield Progress("decode images", done, whole, "images")
                if found is None:
                    bad.append(path)
                    continue
                pixels, was_resized = found
                resized += was_resized
                labels[split].append(label)
                file.write(pixels.tobytes())
                if split == "train":
                    scaled = pixels.astype(np.float64) / 255
                    total, squares = total + scaled.sum(), squares + np.square(scaled).sum()
                    values += scaled.size
    _check(folder, labels)
    mean = total / values
    return {
        "root": str(folder.root),
        "shape": [shape.channels, shape.height, shape.width],
        "labels": labels,
        "mean": mean,
        "std": max(squares / values - mean * mean, 0.0) ** 0.5 or 1.0,
        "said": _said(folder, shape, bad, resized),
    }


def _in_order(
    pool: ThreadPoolExecutor, samples: Samples, shape: Shape
) -> Iterator[tuple[tuple[Path, int], tuple[NDArray[np.uint8], bool] | None]]:
    """The images one after the other, some hundreds at a time in the making."""
    waiting = iter(samples)
    while some := tuple(islice(waiting, 256)):
        found = pool.map(lambda sample: _read(sample[0], shape), some)
        yield from zip(some, found, strict=True)


def _read(path: Path, shape: Shape) -> tuple[NDArray[np.uint8], bool] | None:
    """The pixels [C, H, W] of an image, and whether it had to be resized; None if unreadable."""
    size = (shape.width, shape.height)
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in _DEEP:  # it would be cut off at 255, not scaled
                upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
            plain = upright.convert("L" if shape.channels == 1 else "RGB")
            resized = plain.size != size
            if resized:
                plain = ImageOps.fit(plain, size)
            pixels = np.asarray(plain, dtype=np.uint8)
    except _UNREADABLE:
        return None
    return (pixels[None] if shape.channels == 1 else pixels.transpose(2, 0, 1)), resized


def _check(folder: Folder, labels: dict[str, list[int]]) -> None:
    for split, found in labels.items():
        for label, name in enumerate(folder.classes):
            if split == "train" and label not in found:
                raise InputError(f"no image of the class {name} can be read, of those in {split}")
        if not found:
            raise InputError(f"no image of the split {split} can be read")


def _said(folder: Folder, shape: Shape, bad: Sequence[Path], resized: int) -> list[str]:
    said = []
    if bad:
        names = ", ".join(str(path.relative_to(folder.root)) for path in bad[:NAMED])
        more = f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        said.append(f"{len(bad):,} images cannot be read and are left out: {names}{more}")
    if resized:
        size = f"{shape.width}x{shape.height}"
        said.append(f"{resized:,} images of other sizes are cropped and resized to {size}")
    return said


def _mapped(
    folder: Folder, home: Path, facts: dict[str, Any], protocol: str, digest: str
) -> Dataset:
    labels = {split: np.array(found, np.int64) for split, found in facts["labels"].items()}
    counts = [len(labels[split]) for split in ("train", "validation", "test")]
    # Copied where something writes to it, which nothing does.
    pixels = np.memmap(home / _PIXELS, np.uint8, "c", shape=(sum(counts), *facts["shape"]))
    ends = np.cumsum([0, *counts])

    def part(first: int, last: int, *names: str) -> Split:
        return Split(
            pixels[ends[first] : ends[last]], np.concatenate([labels[name] for name in names])
        )

    test = part(2, 3, "test")
    both = protocol == "reference"
    return Dataset(
        name=f"folder:{folder.root}",
        protocol=protocol,
        classes=len(folder.classes),
        mean=facts["mean"],
        std=facts["std"],
        train=part(0, 2, "train", "validation") if both else part(0, 1, "train"),
        validation=test if both else part(1, 2, "validation"),
        test=test,
        fingerprint=digest,
    )
