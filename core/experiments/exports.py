"""The files that the net of a run was written to: recorded beside it, and read without trust."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from core.events import Accuracy
from core.formats.export_formats import COMPACT, EXACT
from core.system.files import write_text
from core.system.typed_json import Limits, plain, typed
from core.system.untrusted_json import FaultError, read_json, to_json

EXPORTS = "exports.json"

MOST = 100
"""Files that are remembered of a run, the newest ones."""

_SIZE = Limits(1, 1 << 50)


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
    bytes: Annotated[int, _SIZE]
    values: str
    levels: Annotated[int, _SIZE] | None
    accuracy: Annotated[Accuracy, Limits(0, 100)]

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


@dataclass(frozen=True, slots=True)
class _Exports:
    files: tuple[Export, ...] = ()


def read_exports(folder: Path) -> tuple[Export, ...]:
    """The files that a run records, the newest last; damaged rows are left out."""
    with suppress(FaultError):
        found, _ = typed(_Exports, read_json(folder / EXPORTS))
        return found.files[-MOST:] if found else ()
    return ()


def add_export(folder: Path, export: Export) -> None:
    """Record a file beside a run, in place of what was written there before.

    Raises:
        InputError: it cannot be written.
    """
    files = with_export(read_exports(folder), export)[-MOST:]
    write_text(folder / EXPORTS, to_json(plain(_Exports(files))))


def with_export(exports: tuple[Export, ...], export: Export) -> tuple[Export, ...]:
    """Files with one more, the newest last, which may have taken the place of another."""
    return (*(one for one in exports if one.file != export.file), export)


def newest_compact(exports: Sequence[Export], *, exact: bool) -> Export | None:
    """The last compact file that keeps every bit, or that does not; None where there is none."""
    found = (one for one in reversed(exports) if one.compact and one.exact == exact)
    return next(found, None)
