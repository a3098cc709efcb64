"""The files that the net of a run was written to: recorded beside it, and read without trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.events import Accuracy
from core.formats.export_formats import COMPACT, EXACT
from core.system.files import write_text
from core.system.untrusted_json import FaultError, read_json, to_json

EXPORTS = "exports.json"

MOST = 100
"""Files that are remembered of a run, the newest ones."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that a net was written to, as it was then.

    Attributes:
        file: its path.
        bytes: its size.
        values: how it keeps the values, one of `core.formats.export_formats.VALUES`.
        levels: how many values the weights of a layer share; None where they share none.
        accuracy: in percent, of the net that was read back from it.
    """

    file: str
    bytes: int
    values: str
    levels: int | None
    accuracy: Accuracy

    @property
    def name(self) -> str:
        """The file without its folder."""
        return Path(self.file).name

    @property
    def compact(self) -> bool:
        """It is a compact file."""
        return self.file.endswith(COMPACT)

    @property
    def exact(self) -> bool:
        """It keeps every bit."""
        return self.values == EXACT[0]


def read_exports(folder: Path) -> tuple[Export, ...]:
    """The files that a run records, the newest last; what is odd among them is left out."""
    with suppress(FaultError):
        rows = read_json(folder / EXPORTS).get("files")
        found = map(_export, rows[-MOST:] if isinstance(rows, list) else [])
        return tuple(export for export in found if export is not None)
    return ()


def add_export(folder: Path, export: Export) -> None:
    """Record a file beside a run, in place of what was written there before.

    Raises:
        InputError: it cannot be written.
    """
    rows = [asdict(one) for one in with_export(read_exports(folder), export)]
    write_text(folder / EXPORTS, to_json({"files": rows[-MOST:]}))


def with_export(exports: tuple[Export, ...], export: Export) -> tuple[Export, ...]:
    """Files with one more, the newest last, which may have taken the place of another."""
    return (*(one for one in exports if one.file != export.file), export)


def newest_compact(exports: Sequence[Export], *, exact: bool) -> Export | None:
    """The last compact file that keeps every bit, or that does not; None where there is none."""
    found = (one for one in reversed(exports) if one.compact and one.exact == exact)
    return next(found, None)


def _export(row: object) -> Export | None:
    """A row of the record; None where it is not one."""
    if not isinstance(row, Mapping):
        return None
    file, values, levels = row.get("file"), row.get("values"), row.get("levels")
    size: Any = row.get("bytes")
    accuracy = _accuracy(row.get("accuracy"))
    if not (isinstance(file, str) and file and isinstance(values, str) and accuracy):
        return None
    if not _is_whole(size) or not (levels is None or _is_whole(levels)):
        return None
    return Export(file, size, values, levels, accuracy)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 50


def _accuracy(said: object) -> Accuracy | None:
    if not isinstance(said, Mapping):
        return None
    validation, test = (_percent(said.get(split)) for split in ("validation", "test"))
    return None if validation is None or test is None else Accuracy(validation, test)


def _percent(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    return float(value) if known else None
