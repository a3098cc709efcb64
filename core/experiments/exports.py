"""The files exported from a run, recorded with it and read as untrusted input."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from core.events import Accuracy
from core.formats.export_formats import COMPACT, EXACT
from core.system.files import write_text
from core.system.typed_json import Limits, from_plain, to_plain
from core.system.untrusted_json import FaultError, read_json, to_json

EXPORTS = "exports.json"

MAX_EXPORTS = 100
"""Number of files recorded per run; older ones are dropped."""

_SIZE = Limits(1, 1 << 50)


@dataclass(frozen=True, slots=True)
class Export:
    """An exported file, as it was when written.

    Attributes:
        values: how values are stored, one of `core.formats.export_formats.VALUES`.
        levels: number of values the weights of a layer share; None if they share none.
        accuracy: of the net read back from it.
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
        """Whether it is a compact file."""
        return self.file.endswith(COMPACT)

    @property
    def exact(self) -> bool:
        """Whether every value is stored exactly."""
        return self.values == EXACT[0]


@dataclass(frozen=True, slots=True)
class _Exports:
    files: tuple[Export, ...] = ()


def read_exports(folder: Path) -> tuple[Export, ...]:
    """The files recorded with a run, the newest last, without damaged rows."""
    with suppress(FaultError):
        exports, _ = from_plain(_Exports, read_json(folder / EXPORTS))
        return exports.files[-MAX_EXPORTS:] if exports else ()
    return ()


def add_export(folder: Path, export: Export) -> None:
    """Record a file with a run, replacing one of the same path; raises InputError on failure."""
    files = with_export(read_exports(folder), export)[-MAX_EXPORTS:]
    write_text(folder / EXPORTS, to_json(to_plain(_Exports(files))))


def with_export(exports: tuple[Export, ...], export: Export) -> tuple[Export, ...]:
    """The files with `export` added last, replacing one of the same path."""
    return (*(one for one in exports if one.file != export.file), export)


def newest_compact(exports: Sequence[Export], *, exact: bool) -> Export | None:
    """The newest compact file that is exact, or is not; None if there is none."""
    matches = (one for one in reversed(exports) if one.compact and one.exact == exact)
    return next(matches, None)
