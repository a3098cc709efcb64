"""One run in the making: written so that a kill at any moment leaves it whole.

Every file is replaced whole, and in an order in which a run reads as unfinished or as finished
whenever its maker is killed; `tidy` removes what is left lying about then.
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
from core.system.untrusted_json import HEADER, FaultError, to_json

if TYPE_CHECKING:
    from types import TracebackType

    from torch import Tensor

BEGUN = f".{REPORT}-begun"
"""What the report is called until the lock of a new run is held; before that it is no run."""

_PARTS = tuple(f".{name}-" for name in (REPORT, WEIGHTS, CHECKPOINT, NOTE, EXPORTS))
"""How the names of files begin that are being written, see `write_whole`."""


class RunWriter:
    """A run in the making, whose lock this process holds; a context manager, see `close`.

    It may be used from another thread than the one that began it, by one at a time.
    """

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.folder = folder
        self._record = record
        self._lock = acquire(folder / LOCK)

    @classmethod
    def begin(cls, folder: Path, record: RunRecord) -> RunWriter:
        """Make a run of a folder that has all ready; if it cannot, the folder goes (InputError)."""
        writer = None
        try:
            writer = cls(folder, record)
            with explain_write_errors(folder / REPORT):
                os.replace(folder / BEGUN, folder / REPORT)
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
        """The run is still being made, by this object."""
        return self._lock.is_locked

    def checkpoint(
        self,
        tensors: Mapping[str, Tensor],
        epochs: Iterable[EpochRecord] = (),
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what the run can resume from, in place of the checkpoint before.

        Args:
            tensors: see `core.training.checkpoints`.
            epochs: that are over.
            state: what belongs to the tensors, in JSON's own types.

        Raises:
            InputError: it cannot be written; the checkpoint before is still there.
            ValueError: a number is not finite.
        """
        self._check()
        text = to_json(record_json(replace(self._record, epochs=tuple(epochs), state=state)))
        from core.formats.weights_files import save_weights

        save_weights(self.folder / CHECKPOINT, dict(tensors), {HEADER: text})

    def finish(self, weights: Mapping[str, Tensor], record: RunRecord) -> Run:
        """Keep the net that the run produced, and release the run.

        Args:
            weights: a state_dict.
            record: to which is added where the run comes from.

        Raises:
            InputError: it cannot be written; the run is still being made, checkpoint and all.
            ValueError: a number is not finite.
        """
        self._check()
        record = record.provenance(self._record)
        status = STOPPED if record.stopped else DONE
        text = to_json(record_json(replace(record, status=status)))
        from core.formats.weights_files import save_weights

        save_weights(self.folder / WEIGHTS, dict(weights), {})
        write_text(self.folder / REPORT, text)
        with suppress(OSError):  # else `tidy` does it
            (self.folder / CHECKPOINT).unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):  # nobody takes the lock of a finished run
            (self.folder / LOCK).unlink()
        run = read_run(self.folder)
        if run is None:
            raise InputError(f"{self.folder} was deleted while its run was being recorded")
        return run

    def abandon(self) -> None:
        """Delete the run: there is nothing worth keeping; raises InputError if it cannot."""
        self._check()
        with locked(self.folder.parent):
            self._lock.release()
            remove(self.folder)

    def close(self) -> None:
        """Release a run that is still being made: its checkpoint stays, to resume from.

        A new run without checkpoint or note is abandoned; one that is over is left as it is.
        """
        kept = self._record.resumed or any(
            os.path.lexists(self.folder / name) for name in (CHECKPOINT, NOTE)
        )
        try:
            if self.held and not kept and not self._record.resumed:
                with suppress(InputError):  # then it stays, and a person can delete it
                    self.abandon()
        finally:
            self._lock.release()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self) -> None:
        if not self.held:
            raise RuntimeError(f"run {self.id} is over")


def tidy(folder: Path) -> None:
    """Remove what a killed process has left in a run's folder, as far as that is possible."""
    if is_held(folder / LOCK):
        return
    with suppress(OSError, InputError):
        names = os.listdir(folder)
        parts = [name for name in names if name.startswith(_PARTS)]
        if names and set(names) <= {*parts, LOCK}:  # it never was a run
            remove(folder)
            return
        for part in parts:
            (folder / part).unlink()
        if CHECKPOINT in names or LOCK in names:
            _tidy_finished(folder)


def _tidy_finished(folder: Path) -> None:
    with suppress(FaultError):
        if read_report(folder)[0].status in FINISHED:
            (folder / CHECKPOINT).unlink(missing_ok=True)
            (folder / LOCK).unlink(missing_ok=True)
