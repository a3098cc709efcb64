"""The disk budget of decoded images, and the eviction of folders that exceed it."""

import json
import math
import re
import shutil
import time
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.events import Notice, Stream

PIXELS, METADATA = "pixels.u8", "facts.json"
"""The files of a decoded folder; the metadata's modification time records its last use."""

BUDGET = 20 << 30
"""Default limit in bytes for all decoded folders together."""

_ABANDONED = 86_400 * 10**9
"""Age in nanoseconds at which an unfinished decoding counts as abandoned."""

_UNITS = {"B": 1, **{f"{p}B": 1000**n for n, p in enumerate("kMGT", 1)}}
_UNITS |= {f"{p}iB": 1024**n for n, p in enumerate("KMGT", 1)}


def parse_bytes(text: str) -> int:
    """Parse a size such as `20GiB`, `1.5 TB` or `500 mib`; raises InputError for other text."""
    units = {unit.lower(): size for unit, size in _UNITS.items()}
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]+)\s*", text.lower())
    if match is None or match[2] not in units:
        raise InputError(f"'{text}': expected a size such as 20GiB or 500MB")
    return int(float(match[1]) * units[match[2]])


def format_bytes(count: int) -> str:
    """A number of bytes as text, such as `20 GiB`."""
    unit = next((unit for unit in ("TiB", "GiB", "MiB", "KiB") if count >= _UNITS[unit]), "B")
    return f"{count / _UNITS[unit]:.1f}".removesuffix(".0") + f" {unit}"


def read_metadata(home: Path) -> dict[str, Any] | None:
    """The metadata of a decoded folder; None if the folder is missing or incomplete."""
    try:
        metadata: dict[str, Any] = json.loads((home / METADATA).read_text(encoding="utf-8"))
        images = sum(map(len, metadata["labels"].values()))
        complete = (home / PIXELS).stat().st_size == images * math.prod(metadata["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return metadata if complete else None


def evict(home: Path, needed: int, budget: int, what: str) -> Stream[None]:
    """Evict the least recently used folders until `home` fits, with a notice for each.

    `home`, where `what` is or will be decoded to, takes `needed` of `budget` bytes.

    Raises InputError if it exceeds the budget by itself, or a folder cannot be removed.
    """
    if needed > budget:
        raise InputError(
            f"{what} takes {format_bytes(needed)} when decoded, more than the cache budget of "
            f"{format_bytes(budget)}: use a smaller --image-size or a larger --cache-budget"
        )
    oldest_first = sorted(_entries(home.parent), key=lambda at: _stat(at / METADATA, "st_mtime_ns"))
    sizes = {
        path: sum(_stat(file, "st_size") for file in _entries(path))
        for path in oldest_first
        if path != home and path.is_dir() and not path.name.startswith(".")
    }
    for path in tuple(sizes):
        if sum(sizes.values()) + needed <= budget:
            return
        metadata = read_metadata(path)
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            raise InputError(
                f"cannot evict {path} to stay within the cache budget of {format_bytes(budget)}: "
                "delete it yourself or use a larger --cache-budget"
            )
        yield Notice(
            f"evicted the decoded images of {metadata['root'] if metadata else path.name} "
            f"({format_bytes(sizes.pop(path))}): the cache budget is {format_bytes(budget)}"
        )


def remove_stale(home: Path, root: Path, digest: str) -> None:
    """Remove leftovers of killed processes, and decodings of `root` whose digest is outdated.

    Whatever is at `home`, where the folder will be decoded to, is removed, too.
    """
    for path in _entries(home.parent):
        hidden = path.name.startswith(".")
        killed = hidden and time.time_ns() - _stat(path, "st_mtime_ns") > _ABANDONED
        metadata = None if hidden else read_metadata(path)
        same = metadata and metadata.get("root") == str(root.resolve())
        stale = same and not path.name.startswith(digest)
        if killed or stale or path == home:
            shutil.rmtree(path, ignore_errors=True)


def _entries(path: Path) -> tuple[Path, ...]:
    """The entries of a folder; none if it cannot be read or is gone."""
    try:
        return tuple(path.iterdir())
    except OSError:
        return ()


def _stat(path: Path, name: str) -> int:
    """An attribute of a file's status; 0 if the file is gone."""
    try:
        value: int = getattr(path.stat(), name)
    except OSError:
        return 0
    return value
