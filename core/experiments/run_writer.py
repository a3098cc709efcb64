"""Write a run in progress so that a kill at any moment leaves it intact.

Every file is replaced atomically, in an order that leaves the run readable as unfinished or
finished; `tidy` removes what a killed process left.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.experiments.exports import EXPORTS
from core.experiments.run_record import EpochRecord, RunRecord, record_json
from core.experiments.runs import (
    CHECKPOINT,
    DONE,
    FINISHED,
    LOCK,
    NOTE,
    REPORT,
    STOPPED,
    WEIGHTS,
    Run,
    read_report,
    read_run,
)
from core.system.files import write_text
from core.system.locks import acquire, explain_write_errors, is_held, locked, remove
from core.system.untrusted_json import DIGEST, HEADER, FaultError, to_json

if TYPE_CHECKING:
    from torch import Tensor

PENDING_REPORT = f".{REPORT}-begun"
"""The report's name until the lock of a new run is held; before that the folder is not a run."""

_TEMPORARY = tuple(f".{name}-" for name in (REPORT, WEIGHTS, CHECKPOINT, NOTE, EXPORTS))
"""Prefixes of files being written, see `write_whole`."""


class RunWriter:
    """A run in progress whose lock this process holds; a context manager, see `close`.

    May be used by any thread, one at a time.
    """

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.folder = folder
        self._record = record
        self._lock = acquire(folder / LOCK)

    @classmethod
    def begin(cls, folder: Path, record: RunRecord) -> RunWriter:
        """Turn a prepared folder into a run; on failure deletes it and raises InputError."""
        writer = None
        try:
            writer = cls(folder, record)
            with explain_write_errors(folder / REPORT):
                os.replace(folder / PENDING_REPORT, folder / REPORT)
        except BaseException:
            if writer is not None:
                writer._lock.release()
            with suppress(InputError):
                remove(folder)
            raise
        return writer

    @property
    def id(self) -> str:
        """The run's name in its experiment."""
        return self.folder.name

    @property
    def held(self) -> bool:
        """Whether the run is still in progress."""
        return self._lock.is_locked

    def checkpoint(
        self,
        tensors: Mapping[str, Tensor],
        epochs: Iterable[EpochRecord] = (),
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace the checkpoint the run resumes from; see `core.training.checkpoints`.

        Raises InputError, with the previous checkpoint unchanged, if it cannot be written, and
        ValueError if a number is not finite.
        """
        self._check()
        text = to_json(record_json(replace(self._record, epochs=tuple(epochs), state=state)))
        self._save(CHECKPOINT, tensors, {HEADER: text, DIGEST: _digest(tensors)})

    def finish(self, weights: Mapping[str, Tensor], record: RunRecord) -> Run:
        """Store the net the run produced and its record, and release the run.

        Raises InputError, with the run and its checkpoint unchanged, if it cannot be written, and
        ValueError if a number is not finite.
        """
        self._check()
        record = record.provenance(self._record)
        status = STOPPED if record.stopped else DONE
        text = to_json(record_json(replace(record, status=status, weights=_digest(weights))))
        self._save(WEIGHTS, weights, {})
        write_text(self.folder / REPORT, text)
        with suppress(OSError):  # then `tidy` does it later
            (self.folder / CHECKPOINT).unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):  # nobody acquires the lock of a finished run
            (self.folder / LOCK).unlink()
        run = read_run(self.folder)
        if run is None:
            raise InputError(f"{self.folder} was deleted while its run was being recorded")
        return run

    def abandon(self) -> None:
        """Delete the run; raises InputError on failure."""
        self._check()
        with locked(self.folder.parent):
            self._lock.release()
            remove(self.folder)

    def close(self) -> None:
        """Release an unfinished run; it can be resumed from its checkpoint.

        A new run without checkpoint or note is abandoned.
        """
        has_files = any(os.path.lexists(self.folder / name) for name in (CHECKPOINT, NOTE))
        try:
            if self.held and not has_files and not self._record.resumed:
                with suppress(InputError):  # then it stays for the user to delete
                    self.abandon()
        finally:
            self._lock.release()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _save(self, name: str, tensors: Mapping[str, Tensor], header: dict[str, str]) -> None:
        from core.formats.weights_files import save_weights  # loads torch

        save_weights(self.folder / name, dict(tensors), header)

    def _check(self) -> None:
        if not self.held:
            raise RuntimeError(f"run {self.id} is over")


def _digest(tensors: Mapping[str, Tensor]) -> str:
    from core.nets.weights import weights_digest  # loads torch

    return weights_digest(dict(tensors))


def tidy(folder: Path) -> None:
    """Remove what a killed process left in a run's folder, as far as possible."""
    if is_held(folder / LOCK):
        return
    with suppress(OSError, InputError):
        names = os.listdir(folder)
        parts = [name for name in names if name.startswith(_TEMPORARY)]
        if names and set(names) <= {*parts, LOCK}:  # it never became a run
            remove(folder)
            return
        for part in parts:
            (folder / part).unlink()
        if CHECKPOINT in names or LOCK in names:
            with suppress(FaultError):
                if read_report(folder)[0].status in FINISHED:
                    (folder / CHECKPOINT).unlink(missing_ok=True)
                    (folder / LOCK).unlink(missing_ok=True)
