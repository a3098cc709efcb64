"""Scans stored with an experiment, by the weights they were made on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import InputError
from core.pruning.curves import SPLITS, Point, Scan
from core.system.files import write_text
from core.system.locks import changing, make_folder
from core.system.untrusted_json import FaultError, read_json

SCANS = "scans"
"""The folder of an experiment that holds them: DIGEST-SPLIT.json."""

_PRECISIONS = ("fp32", "bf16")


class KeptScan(NamedTuple):
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
    text = json.dumps(_plain(scan, digest, data), allow_nan=False)
    make_folder(path.parent)
    with changing(folder):
        kept = load_scan(folder, digest, scan.split, data).scan
        if kept and kept.images == scan.images and _seen(kept) > _seen(scan):
            return False
        write_text(path, text)
    return True


def load_scan(folder: Path, digest: str, split: str, data: str = "") -> KeptScan:
    """Load the stored scan of these weights on this split, if it is usable.

    Raises:
        InputError: the split is unknown.
    """
    path = _path(folder, digest, split)
    if not os.path.lexists(path):
        return KeptScan(None)
    try:
        facts = read_json(path)
        scan = _scan(facts)
        if (facts.get("digest"), scan.split) != (digest, split):
            raise FaultError(f"{path.name} is a scan of other weights or another split")
        if facts.get("data") != data:
            raise FaultError(f"{path.name} is a scan on different data")
        return KeptScan(scan)
    except FaultError as fault:
        return KeptScan(None, str(fault))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        return KeptScan(None, f"{path.name} is not a scan: {str(error)[:80]}")


def _path(folder: Path, digest: str, split: str) -> Path:
    if split not in SPLITS:
        raise InputError(f"unknown split '{split}': expected one of {', '.join(SPLITS)}")
    if not re.fullmatch("[0-9a-f]+", digest):
        raise ValueError(f"digest '{digest}': expected hexadecimal digits")
    return folder / SCANS / f"{digest}-{split}.json"


def _seen(scan: Scan) -> int:
    return sum(point.images for point in scan.points())


def _plain(scan: Scan, digest: str, data: str) -> dict[str, Any]:
    """A scan as JSON has it; a point is its sparsity, correct, images and ties."""
    return {
        "digest": digest,
        "data": data,
        "split": scan.split,
        "images": scan.images,
        "precision": scan.precision,
        "traced": scan.traced,
        "stopped": scan.stopped,
        "layers": {name: _rows(points) for name, points in scan.layers.items()},
        "uniform": _rows(scan.uniform),
    }


def _rows(points: tuple[Point, ...]) -> list[list[float]]:
    return [[point.sparsity, point.correct, point.images, point.ties] for point in points]


def _scan(facts: Mapping[str, Any]) -> Scan:
    """Read untrusted data; raises ValueError, or other errors for wrong types."""
    images = _count(facts["images"])
    return Scan(
        split=_one_of(facts["split"], SPLITS),
        images=images,
        layers={name: _points(rows, images) for name, rows in facts["layers"].items()},
        uniform=_points(facts["uniform"], images),
        precision=_one_of(facts["precision"], _PRECISIONS),
        traced=_one_of(facts["traced"], (True, False)),
        stopped=_one_of(facts["stopped"], (True, False)),
    )


def _points(rows: Any, images: int) -> tuple[Point, ...]:
    return tuple(_point(*row, of=images) for row in rows)


def _point(sparsity: float, correct: int, images: int, ties: int, *, of: int) -> Point:
    if type(sparsity) not in (float, int) or not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity {sparsity!r}")
    counts = _count(correct), _count(images), _count(ties)
    if not counts[0] <= counts[1] <= of or counts[2] > counts[1]:
        raise ValueError(f"{correct} correct and {ties} ties of {images} images of {of}")
    return Point(sparsity, *counts)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _one_of(value: Any, expected: tuple[Any, ...]) -> Any:
    if type(value) not in (str, bool) or value not in expected:
        raise ValueError(f"{value!r}, expected one of {', '.join(map(str, expected))}")
    return value
