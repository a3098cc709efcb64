"""Scans stored with an experiment, by the weights they were made on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from core.errors import InputError
from core.pruning.curves import SPLITS, Point, Scan
from core.system.files import write_text
from core.system.locks import changing, make_folder
from core.system.typed_json import Limits, plain, typed
from core.system.untrusted_json import FaultError, read_json

SCANS = "scans"
"""The folder of an experiment that holds them: DIGEST-SPLIT.json."""


_COPIED = ("split", "images", "precision", "traced", "stopped")
"""The fields of a scan that its file holds as they are."""

_Rows = tuple[tuple[float, ...], ...]
"""A point is its sparsity, correct, images and ties."""


@dataclass(frozen=True, slots=True)
class _ScanFile:
    digest: str
    data: str
    split: Literal["validation", "test"]
    images: Annotated[int, Limits(0)]
    precision: Literal["fp32", "bf16"]
    traced: bool
    stopped: bool
    layers: Annotated[Mapping[str, _Rows], Limits(0)]
    uniform: Annotated[_Rows, Limits(0)]


class StoredScan(NamedTuple):
    """The stored scan of some weights.

    Attributes:
        scan: the scan; None if there is no usable one.
        problem: why an existing file cannot be used, on one line.
    """

    scan: Scan | None
    problem: str | None = None


def save_scan(folder: Path, digest: str, scan: Scan, data: str = "") -> bool:
    """Store a scan with an experiment, unless one with more images is already stored.

    One of other data, or of a split of a different size, is always replaced.

    Args:
        folder: of the experiment; made where it is missing.
        digest: of the weights, see `core.nets.digest`.
        scan: the scan, possibly stopped early.
        data: what the split was cut from and how, such as `mnist, default`: the digest covers only
            the weights.

    Returns:
        Whether this scan is now the stored one.

    Raises:
        InputError: the folder cannot be written.
    """
    path = _path(folder, digest, scan.split)
    layers = {name: _rows(points) for name, points in scan.layers.items()}
    said = {name: getattr(scan, name) for name in _COPIED}
    file = _ScanFile(digest, data, layers=layers, uniform=_rows(scan.uniform), **said)
    text = json.dumps(plain(file), allow_nan=False)
    make_folder(path.parent)
    with changing(folder):
        kept = load_scan(folder, digest, scan.split, data).scan
        if kept and kept.images == scan.images and _seen(kept) > _seen(scan):
            return False
        write_text(path, text)
    return True


def load_scan(folder: Path, digest: str, split: str, data: str = "") -> StoredScan:
    """Load the stored scan of these weights on this split, if it is usable.

    Raises:
        InputError: the split is unknown.
    """
    path = _path(folder, digest, split)
    if not os.path.lexists(path):
        return StoredScan(None)
    try:
        saved, faults = typed(_ScanFile, read_json(path))
        if saved is None or faults:
            raise FaultError(f"{path.name} is not a scan: {faults[0]}")
        if (saved.digest, saved.split) != (digest, split):
            raise FaultError(f"{path.name} is a scan of other weights or another split")
        if saved.data != data:
            raise FaultError(f"{path.name} is a scan on different data")
        layers = {name: _points(rows, saved.images) for name, rows in saved.layers.items()}
        said = {name: getattr(saved, name) for name in _COPIED}
        return StoredScan(Scan(layers=layers, uniform=_points(saved.uniform, saved.images), **said))
    except FaultError as fault:
        return StoredScan(None, str(fault))
    except (ValueError, TypeError) as error:
        return StoredScan(None, f"{path.name} is not a scan: {str(error)[:80]}")


def _path(folder: Path, digest: str, split: str) -> Path:
    if split not in SPLITS:
        raise InputError(f"unknown split '{split}': expected one of {', '.join(SPLITS)}")
    if not re.fullmatch("[0-9a-f]+", digest):
        raise ValueError(f"digest '{digest}': expected hexadecimal digits")
    return folder / SCANS / f"{digest}-{split}.json"


def _seen(scan: Scan) -> int:
    return sum(point.images for point in scan.points())


def _rows(points: tuple[Point, ...]) -> _Rows:
    return tuple((point.sparsity, point.correct, point.images, point.ties) for point in points)


def _points(rows: _Rows, images: int) -> tuple[Point, ...]:
    return tuple(_point(*row, of=images) for row in rows)


def _point(sparsity: float, correct: float, images: float, ties: float, *, of: int) -> Point:
    counts = [int(count) for count in (correct, images, ties)]
    if sparsity > 1 or counts != [correct, images, ties] or not correct <= images <= of:
        raise ValueError(f"{correct} correct of {images} images of {of} at sparsity {sparsity}")
    if ties > images:
        raise ValueError(f"{ties} ties of {images} images")
    return Point(sparsity, *counts)
