"""An image folder decoded once into a file of pixels, which is memory-mapped.

The file's name in the cache depends on what decides its contents: the images' names, sizes and
times, and the requested size and channels. `core.data.folders.disk_budget` limits the total.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from core.data.folders.disk_budget import (
    METADATA,
    PIXELS,
    evict,
    format_bytes,
    read_metadata,
    remove_stale,
)
from core.data.folders.image_files import named
from core.data.folders.image_folder import Folder, Samples
from core.data.folders.pixels import (
    LARGEST,
    MOST_PIXELS,
    SMALLEST,
    Fault,
    Shape,
    read_image,
    shape_of,
)
from core.data.inputs import Inputs
from core.data.splits import Dataset, Split
from core.errors import InputError, StoppedError, WriteError
from core.events import Notice, Portion, Progress, StopFlag, Stream
from core.system.error_text import reason
from core.system.files import NO_SPACE

_SPLITS = ("train", "validation", "test")


def decoded(
    folder: Folder, cache: Path, protocol: str, inputs: Inputs, budget: int, stop: StopFlag
) -> Stream[Dataset]:
    """The images of a folder as a data set: decoded now, or mapped from the cache.

    `cache` holds all decoded folders, which may take `budget` bytes together; `stop` is checked
    after every image.

    Raises:
        InputError: a class has no readable image, or `inputs` does not fit the images.
        WriteError: there is no room for the decoded images.
        StoppedError: `stop` was raised.
    """
    digest = folder_digest(folder)
    size = f"{inputs.image_size}px" if inputs.image_size else ""
    channels = f"{inputs.channels}ch" if inputs.channels else ""
    home = cache / "-".join(filter(None, (digest, size, channels)))
    metadata = read_metadata(home)
    shape = Shape(*metadata["shape"]) if metadata else shape_of(folder.samples, inputs)
    images = sum(map(len, metadata["labels"].values())) if metadata else len(folder.samples)
    inputs.normalization(shape.channels, 0.0, 1.0)  # refuse it before anything is decoded
    if metadata is None:
        remove_stale(home, folder.root, digest)
    yield from evict(home, shape.bytes * images, budget, f"{folder.root} at {shape}")
    if metadata is None:
        yield from _decode(folder, shape, home, stop)
        metadata = read_metadata(home)
    if metadata is None:
        raise InputError(f"the images decoded to {home} have disappeared: try again")
    with suppress(OSError):
        os.utime(home / METADATA)  # used now
    for text, is_warning in metadata["said"]:
        yield Notice(text, warning=is_warning)
    return _mapped(folder, home, metadata, protocol, inputs)


def folder_digest(folder: Folder) -> str:
    """What tells the images of a folder from others: names, sizes, times and splits."""
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
    """Fill a temporary folder next to `home`, then move it into place."""
    needed = shape.bytes * len(folder.samples)
    work = home.with_name(f".{home.name}-{uuid4().hex}")
    try:
        work.mkdir(parents=True)
        if shutil.disk_usage(work).free < needed:
            raise WriteError(
                f"no space left in {home.parent}: decoding {folder.root} at {shape} takes "
                f"{format_bytes(needed)}; free some space or use a smaller --image-size"
            )
        metadata = yield from _decode_images(folder, shape, work / PIXELS, stop)
        (work / METADATA).write_text(json.dumps(metadata), encoding="utf-8")
        if not home.exists():
            os.rename(work, home)
    except OSError as error:
        text = f"cannot decode images to {home.parent}: {reason(error)}"
        if error.errno in NO_SPACE:
            hint = "free some space or use a smaller --image-size"
            raise WriteError(f"{text}; {hint}") from error
        raise InputError(f"{text}; set XDG_CACHE_HOME to a folder you can write to") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _decode_images(
    folder: Folder, shape: Shape, target: Path, stop: StopFlag
) -> Stream[dict[str, Any]]:
    """Decode every image into `target`; returns their metadata."""
    labels: dict[str, list[int]] = {split: [] for split in _SPLITS}
    left_out: dict[Fault, list[Path]] = {"unreadable": [], "too large": []}
    resized = done = 0
    total = squares = values = 0.0
    yield Portion(0.0, 1.0)
    with target.open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        for split in _SPLITS:
            for (path, label), image in _read_in_order(pool, getattr(folder, split), shape):
                if stop():
                    raise StoppedError("stopped before all images were decoded")
                done += 1
                yield Progress("decoding images", done, len(folder.samples), "images")
                if isinstance(image, str):
                    left_out[image].append(path)
                    continue
                pixels, was_resized = image
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
        "said": _notices(folder, shape, left_out, resized),
    }


def _read_in_order(
    pool: ThreadPoolExecutor, samples: Samples, shape: Shape
) -> Iterator[tuple[tuple[Path, int], tuple[NDArray[np.uint8], bool] | Fault]]:
    """Yield the images in order; a few hundred are decoded at a time."""
    remaining = iter(samples)
    while chunk := tuple(islice(remaining, 256)):
        images = pool.map(lambda sample: read_image(sample[0], shape), chunk)
        yield from zip(chunk, images, strict=True)


def _check(folder: Folder, labels: dict[str, list[int]]) -> None:
    for label, name in enumerate(folder.classes):
        if label not in labels["train"]:
            raise InputError(f"no readable image of class {name} in split train: add one")
    for split in _SPLITS:
        if not labels[split]:
            raise InputError(f"no readable image in split {split}: add some")


_WHY: dict[Fault, str] = {
    "unreadable": "that cannot be read",
    "too large": f"of more than {MOST_PIXELS / 1e6:.0f} million pixels",
}


def _notices(
    folder: Folder, shape: Shape, left_out: Mapping[Fault, Sequence[Path]], resized: int
) -> list[tuple[str, bool]]:
    """The notices about the images, each with whether it is a warning."""
    notices = []
    for fault, paths in left_out.items():
        if paths:
            names = named([str(path.relative_to(folder.root)) for path in paths])
            notices.append((f"skipped {_images(len(paths))} {_WHY[fault]}: {names}", True))
    if resized:
        notices.append((f"cropped and resized {_images(resized)} to {shape}", False))
    return notices


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _mapped(
    folder: Folder, home: Path, metadata: dict[str, Any], protocol: str, inputs: Inputs
) -> Dataset:
    labels = [np.array(metadata["labels"][split], np.int64) for split in _SPLITS]
    counts = [len(part) for part in labels]
    # Mode c, copy on write: torch warns of read-only memory, and nothing writes to it.
    try:
        pixels = np.memmap(home / PIXELS, np.uint8, "c", shape=(sum(counts), *metadata["shape"]))
    except OSError as error:
        raise InputError(
            f"cannot read the decoded images of {folder.root} ({reason(error)}): try again"
        ) from error
    ends = np.cumsum([0, *counts])

    def part(first: int, last: int) -> Split:
        return Split(pixels[ends[first] : ends[last]], np.concatenate(labels[first:last]))

    test = part(2, 3)
    reference = protocol == "reference"
    mean, std = inputs.normalization(metadata["shape"][0], metadata["mean"], metadata["std"])
    scale = Inputs(mean=inputs.mean, std=inputs.std)
    return Dataset(
        name=f"folder:{folder.root}",
        protocol=protocol,
        classes=len(folder.classes),
        mean=mean,
        std=std,
        train=part(0, 2) if reference else part(0, 1),
        validation=test if reference else part(1, 2),
        test=test,
        fingerprint=" ".join(filter(None, (home.name, scale.flags))),
        class_names=folder.classes,
    )
