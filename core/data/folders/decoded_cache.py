"""An image folder decoded once into a file of pixels, which is memory-mapped.

The file's name in the cache depends on what decides its contents: the images' names, sizes and
times, and the requested size and channels. `core.data.folders.disk_budget` limits the total.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from core.data.folders.disk_budget import (
    FACTS,
    PIXELS,
    evict,
    format_bytes,
    known,
    remove_stale,
    use,
)
from core.data.folders.image_folder import Folder, Samples
from core.data.folders.pixels import LARGEST, SMALLEST, Shape, read_image, shape_of
from core.data.inputs import Inputs
from core.data.splits import Dataset, Split
from core.errors import InputError, StoppedError
from core.events import Notice, Progress, StopFlag, Stream
from core.system.error_text import reason
from core.system.files import NO_SPACE

NAMED = 3
"""How many unreadable images are named individually."""


def decoded(
    folder: Folder, cache: Path, protocol: str, inputs: Inputs, budget: int, stop: StopFlag
) -> Stream[Dataset]:
    """The images of a folder as a data set: decoded now, or mapped from the cache.

    Args:
        folder: the image folder's contents.
        cache: the folder that holds all decoded images.
        protocol: as in `Dataset`.
        inputs: requested size, channels and normalization.
        budget: bytes that all decoded folders may take.
        stop: checked after every image.

    Raises:
        InputError: a class has no readable image, there is no room for the decoded images, or
            `inputs` does not fit the images.
        StoppedError: `stop` was raised.
    """
    digest = _digest(folder)
    home = cache / _name(digest, inputs)
    facts = known(home)
    if facts is None:
        shape, images = shape_of(folder.samples, inputs), len(folder.samples)
    else:
        shape, images = Shape(*facts["shape"]), sum(map(len, facts["labels"].values()))
    inputs.normalization(shape.channels, 0.0, 1.0)  # it is refused before anything is decoded
    if facts is None:
        remove_stale(home, folder.root, digest)
    yield from evict(home, shape.bytes * images, budget, f"{folder.root} at {shape}")
    if facts is None:
        yield from _decode(folder, shape, home, stop)
        facts = known(home)
    if facts is None:
        raise InputError(f"{home} lost the images decoded to it")
    use(home)
    for text, is_warning in facts["said"]:
        yield Notice(text, warning=is_warning)
    return _mapped(folder, home, facts, protocol, inputs)


def _name(digest: str, inputs: Inputs) -> str:
    """The name in the cache for images decoded this way."""
    size = f"{inputs.image_size}px" if inputs.image_size else ""
    channels = f"{inputs.channels}ch" if inputs.channels else ""
    return "-".join(filter(None, (digest, size, channels)))


def _digest(folder: Folder) -> str:
    digest = hashlib.sha256(f"{folder.classes} {SMALLEST}-{LARGEST}".encode())
    for part in (folder.train, folder.validation, folder.test):
        for path, label in part:
            row = (str(path.relative_to(folder.root)), label, *_size_and_time(path))
            digest.update(repr(row).encode())
        digest.update(b"--")
    return digest.hexdigest()[:16]


def _size_and_time(path: Path) -> tuple[int, int]:
    """A file's size and time; zeros if it is gone or a broken link."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _decode(folder: Folder, shape: Shape, home: Path, stop: StopFlag) -> Stream[None]:
    """Fill a folder beside its place, and move it there when it is whole."""
    needed = shape.bytes * len(folder.samples)
    work = home.with_name(f".{home.name}-{uuid4().hex}")
    try:
        work.mkdir(parents=True)
        if shutil.disk_usage(work).free < needed:
            raise InputError(
                f"no space left in {home.parent}: decoding {folder.root} at {shape} takes "
                f"{format_bytes(needed)}; free some space or use a smaller --image-size"
            )
        facts = yield from _filled(folder, shape, work / PIXELS, stop)
        (work / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        if not home.exists():
            os.rename(work, home)
    except OSError as error:
        hint = "; free some space or use a smaller --image-size" * (error.errno in NO_SPACE)
        raise InputError(f"cannot decode images to {home.parent}: {reason(error)}{hint}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


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
                    raise StoppedError("stopped before all images were decoded")
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
        "root": str(folder.root.resolve()),
        "shape": [shape.channels, shape.height, shape.width],
        "labels": labels,
        "mean": mean,
        "std": max(squares / values - mean * mean, 0.0) ** 0.5 or 1.0,
        "said": _said(folder, shape, bad, resized),
    }


def _in_order(
    pool: ThreadPoolExecutor, samples: Samples, shape: Shape
) -> Iterator[tuple[tuple[Path, int], tuple[NDArray[np.uint8], bool] | None]]:
    """Yield the images in order, a few hundred at a time in progress."""
    waiting = iter(samples)
    while some := tuple(islice(waiting, 256)):
        found = pool.map(lambda sample: read_image(sample[0], shape), some)
        yield from zip(some, found, strict=True)


def _check(folder: Folder, labels: dict[str, list[int]]) -> None:
    for split, found in labels.items():
        there = set(found)
        for label, name in enumerate(folder.classes):
            if split == "train" and label not in there:
                raise InputError(f"no readable image of class {name} in split {split}")
        if not found:
            raise InputError(f"no readable image in split {split}")


def _said(folder: Folder, shape: Shape, bad: Sequence[Path], resized: int) -> list[Any]:
    """The notices about the images, each with whether it is a warning."""
    said = []
    if bad:
        names = ", ".join(str(path.relative_to(folder.root)) for path in bad[:NAMED])
        more = f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        text = f"skipped {len(bad):,} images that cannot be read: {names}{more}"
        said.append((text, True))
    if resized:
        text = f"cropped and resized {resized:,} images of other sizes to {shape}"
        said.append((text, False))
    return said


def _mapped(
    folder: Folder, home: Path, facts: dict[str, Any], protocol: str, inputs: Inputs
) -> Dataset:
    labels = {split: np.array(found, np.int64) for split, found in facts["labels"].items()}
    counts = [len(labels[split]) for split in ("train", "validation", "test")]
    # Copied where something writes to it, which nothing does.
    try:
        pixels = np.memmap(home / PIXELS, np.uint8, "c", shape=(sum(counts), *facts["shape"]))
    except OSError as error:
        raise InputError(
            f"cannot read the decoded images of {folder.root} ({reason(error)}): start again"
        ) from error
    ends = np.cumsum([0, *counts])

    def part(first: int, last: int, *names: str) -> Split:
        return Split(
            pixels[ends[first] : ends[last]], np.concatenate([labels[name] for name in names])
        )

    test = part(2, 3, "test")
    both = protocol == "reference"
    mean, std = inputs.normalization(facts["shape"][0], facts["mean"], facts["std"])
    scale = Inputs(mean=inputs.mean, std=inputs.std)
    return Dataset(
        name=f"folder:{folder.root}",
        protocol=protocol,
        classes=len(folder.classes),
        mean=mean,
        std=std,
        train=part(0, 2, "train", "validation") if both else part(0, 1, "train"),
        validation=test if both else part(1, 2, "validation"),
        test=test,
        fingerprint=" ".join(filter(None, (home.name, scale.flags))),
    )
