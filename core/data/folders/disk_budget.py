"""The disk budget of decoded images: how much they may take, and which are evicted."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.events import Notice, Stream

PIXELS, FACTS = "pixels.u8", "facts.json"
"""The files of a decoded folder; the last use of its facts decides which one is evicted."""

BUDGET = 20 << 30
"""Default limit in bytes for all decoded folders together."""

_ABANDONED = 86_400 * 10**9
"""Nanoseconds after which an unfinished decoding counts as abandoned."""

_UNITS = {"B": 1, **{f"{p}B": 1000**n for n, p in enumerate("kMGT", 1)}}
_UNITS |= {f"{p}iB": 1024**n for n, p in enumerate("KMGT", 1)}


def parse_bytes(text: str) -> int:
    """Read `20GiB`, `1.5 TB` or `500 MiB`, in any case.

    Raises:
        InputError: it is none of these.
    """
    units = {unit.lower(): size for unit, size in _UNITS.items()}
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]+)\s*", text)
    if found is None or found[2].lower() not in units:
        raise InputError(f"'{text}': expected a size such as 20GiB or 500MB")
    return int(float(found[1]) * units[found[2].lower()])


def format_bytes(count: int) -> str:
    """A number of bytes as text."""
    unit = next((it for it in ("TiB", "GiB", "MiB", "KiB") if count >= _UNITS[it]), "B")
    return f"{count / _UNITS[unit]:.1f}".removesuffix(".0") + f" {unit}"


def known(home: Path) -> dict[str, Any] | None:
    """The facts of a decoded folder; None if it is missing or incomplete."""
    try:
        facts: dict[str, Any] = json.loads((home / FACTS).read_text(encoding="utf-8"))
        images = sum(len(labels) for labels in facts["labels"].values())
        whole = (home / PIXELS).stat().st_size == images * math.prod(facts["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return facts if whole else None


def use(home: Path) -> None:
    """Mark a decoded folder as used now."""
    with suppress(OSError):
        os.utime(home / FACTS)


def evict(home: Path, needed: int, budget: int, what: str) -> Stream[None]:
    """Evict the least recently used folders until `home` fits, with a notice for each.

    Args:
        home: where the folder is decoded to, or will be; it stays.
        needed: bytes it takes.
        budget: bytes all of them may take.
        what: what needs the bytes, for messages.

    Raises:
        InputError: it exceeds the budget by itself, or a folder cannot be removed.
    """
    if needed > budget:
        raise InputError(
            f"{what} takes {format_bytes(needed)} when decoded, more than the cache budget of "
            f"{format_bytes(budget)}: use a smaller --image-size or a larger --cache-budget"
        )
    others = sorted(_others(home), key=_last_used)
    taken = {path: _size(path) for path in others}
    for path in others:
        if sum(taken.values()) + needed <= budget:
            return
        facts = known(path)
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            raise InputError(
                f"cannot remove {path} from the cache to keep it within {format_bytes(budget)}: "
                "delete it yourself or use a larger --cache-budget"
            )
        yield Notice(
            f"evicted the decoded images of {facts['root'] if facts else path.name} "
            f"({format_bytes(taken.pop(path))}): the cache budget is {format_bytes(budget)}"
        )


def remove_stale(home: Path, root: Path, digest: str) -> None:
    """Remove leftovers of killed processes, and outdated decodings of a folder.

    Args:
        home: where the folder will be decoded to.
        root: the folder.
        digest: of its files, with which the name of each of its decodings begins.
    """
    for path in _inside(home.parent):
        hidden = path.name.startswith(".")
        killed = hidden and time.time_ns() - _stat(path, "st_mtime_ns") > _ABANDONED
        facts = None if hidden else known(path)
        same = facts and facts.get("root") == str(root.resolve())
        stale = same and not path.name.startswith(digest)
        if killed or stale or path == home:
            shutil.rmtree(path, ignore_errors=True)


def _others(home: Path) -> Iterator[Path]:
    for path in _inside(home.parent):
        if path != home and path.is_dir() and not path.name.startswith("."):
            yield path


def _size(path: Path) -> int:
    return sum(_stat(file, "st_size") for file in _inside(path))


def _inside(path: Path) -> tuple[Path, ...]:
    """What is in a folder; nothing where it cannot be looked into, or has gone meanwhile."""
    try:
        return tuple(path.iterdir())
    except OSError:
        return ()


def _last_used(path: Path) -> int:
    return _stat(path / FACTS, "st_mtime_ns")


def _stat(path: Path, name: str) -> int:
    """Of a file; of one that has gone meanwhile, nothing."""
    try:
        found: int = getattr(path.stat(), name)
    except OSError:
        return 0
    return found
