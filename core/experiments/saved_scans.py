"""Scans that are kept with an experiment, by the weights that they were made of."""

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
    """What is kept of the weights that were asked for.

    Attributes:
        scan: None where there is none that can be used.
        problem: why a file that is there cannot be used, on one line.
    """

    scan: Scan | None
    problem: str | None = None


def save_scan(folder: Path, digest: str, scan: Scan, data: str = "") -> bool:
    """Keep a scan with an experiment, unless one that saw more images is kept already.

    One of other data, or of a split of another size, does not count: it is replaced.

    Args:
        folder: of the experiment; made where it is missing.
        digest: of the weights, see `core.nets.digest`.
        scan: as it is; one that was stopped early is worth keeping too.
        data: what the split was cut from and how, such as `mnist, default`: a digest does not
            tell on what a net was measured.

    Returns:
        Whether this is the one that is kept now.

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
    """The scan of these weights on this split that is kept with an experiment, if it can be used.

    Raises:
        InputError: there is no such split.
    """
    path = _path(folder, digest, split)
    if not os.path.lexists(path):
        return KeptScan(None)
    try:
        facts = read_json(path)
        scan = _scan(facts)
        if (facts.get("digest"), scan.split) != (digest, split):
            raise FaultError(f"{path.name} is a scan of something else")
        if facts.get("data") != data:
            raise FaultError(f"{path.name} is a scan on other data")
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
    """Read it without trust; raises ValueError, or what comes of a wrong type."""
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
