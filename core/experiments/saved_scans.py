"""Scans stored with an experiment, by the digest of the scanned weights."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from core.pruning.curves import Point, RepairName, Scan, SplitName, check_split
from core.system.files import write_text
from core.system.locks import locked, make_folder
from core.system.number_formats import Precision
from core.system.typed_json import Limits, from_plain, to_plain
from core.system.untrusted_json import FaultError, read_json

SCANS = "scans"
"""The folder of an experiment that holds its scans, as DIGEST-SPLIT[-REPAIR].json."""

_SHARED = ("split", "images", "precision", "traced", "stopped", "repair")
"""Fields that a scan and its file have in common."""

_Rows = tuple[tuple[float, ...], ...]
"""Points as sparsity, correct, images and ties."""


@dataclass(frozen=True, slots=True)
class _ScanFile:
    digest: str
    data: str
    split: SplitName
    images: Annotated[int, Limits(0)]
    precision: Precision
    traced: bool
    stopped: bool
    layers: Annotated[Mapping[str, _Rows], Limits(0)]
    uniform: Annotated[_Rows, Limits(0)]
    repair: RepairName = "none"


class StoredScan(NamedTuple):
    """The stored scan of some weights, if any; `problem` says why a file cannot be used."""

    scan: Scan | None
    problem: str | None = None


def save_scan(folder: Path, digest: str, scan: Scan, data: str = "") -> bool:
    """Store a scan with an experiment, unless one measured on more images is already stored.

    A scan of other data, or of a split of a different size, is always replaced; those with other
    repairs stay. Returns whether this scan was stored.

    Raises InputError if the folder cannot be written.

    Args:
        folder: the experiment's; created if missing.
        digest: of the weights, see `core.nets.weights.weights_digest`.
        scan: the scan, possibly stopped early.
        data: identifies the images and their split, such as `mnist, default`.
    """
    path = _path(folder, digest, scan.split, scan.repair)
    layers = {name: _rows(points) for name, points in scan.layers.items()}
    shared = {name: getattr(scan, name) for name in _SHARED}
    file = _ScanFile(digest, data, layers=layers, uniform=_rows(scan.uniform), **shared)
    text = json.dumps(to_plain(file), allow_nan=False)
    make_folder(path.parent)
    with locked(folder):
        stored = load_scan(folder, digest, scan.split, data, scan.repair).scan
        if stored and stored.images == scan.images and _image_count(stored) > _image_count(scan):
            return False
        write_text(path, text)
    return True


def load_scan(
    folder: Path, digest: str, split: str, data: str = "", repair: RepairName = "none"
) -> StoredScan:
    """Load the stored scan of these weights on this split, with this repair, if usable."""
    path = _path(folder, digest, split, repair)
    if not os.path.lexists(path):
        return StoredScan(None)
    try:
        saved, faults = from_plain(_ScanFile, read_json(path))
        if saved is None or faults:
            raise FaultError(f"{path.name} is not a scan: {faults[0]}")
        if (saved.digest, saved.split, saved.repair) != (digest, split, repair):
            raise FaultError(f"{path.name} is a scan of other weights, split or repair")
        if saved.data != data:
            raise FaultError(f"{path.name} is a scan on different data")
        layers = {name: _points(rows, saved.images) for name, rows in saved.layers.items()}
        shared = {name: getattr(saved, name) for name in _SHARED}
        uniform = _points(saved.uniform, saved.images)
        return StoredScan(Scan(layers=layers, uniform=uniform, **shared))
    except FaultError as fault:
        return StoredScan(None, str(fault))
    except (ValueError, TypeError) as error:
        return StoredScan(None, f"{path.name} is not a scan: {str(error)[:80]}")


def _path(folder: Path, digest: str, split: str, repair: RepairName) -> Path:
    check_split(split)
    if not re.fullmatch("[0-9a-f]+", digest):
        raise ValueError(f"digest '{digest}': expected hexadecimal digits")
    repaired = "" if repair == "none" else f"-{repair}"
    return folder / SCANS / f"{digest}-{split}{repaired}.json"


def _image_count(scan: Scan) -> int:
    return sum(point.images for point in scan.points())


def _rows(points: tuple[Point, ...]) -> _Rows:
    return tuple((point.sparsity, point.correct, point.images, point.ties) for point in points)


def _points(rows: _Rows, images: int) -> tuple[Point, ...]:
    points = tuple(Point(sparsity, *map(int, counts)) for sparsity, *counts in rows)
    fits = (p.sparsity <= 1 and max(p.correct, p.ties) <= p.images <= images for p in points)
    if _rows(points) != rows or not all(fits):
        raise ValueError("expected whole counts that do not exceed the images of the split")
    return points
