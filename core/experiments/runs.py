"""One run of an experiment on disk: its files, and how they are read without trust.

    0001/run.json                the record of the run; its `status` says how the run ended
    0001/weights.safetensors     the net it produced
    0001/checkpoint.safetensors  only while unfinished: tensors, and the record in the header
    0001/note.txt                what a person typed
    0001/exports.json            the files that its net was written to
    0001/lock                    held by the process that makes the run; free when that has died

`core.experiments.run_record` declares the record, `core.experiments.run_writer` writes the files.
Reading loads no torch, apart from tensors, and unpickles nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, TypeVar

from core.errors import InputError
from core.experiments.exports import Export, read_exports
from core.experiments.run_record import RunRecord, read_record
from core.system.locks import is_held
from core.system.untrusted_json import FaultError, header_json, metadata, opened, read_json

if TYPE_CHECKING:
    from core.nets.weights import Weights

T = TypeVar("T")

REPORT, WEIGHTS, NOTE = "run.json", "weights.safetensors", "note.txt"
CHECKPOINT, LOCK = "checkpoint.safetensors", "lock"

RUNNING: Literal["running"] = "running"
DONE: Literal["done"] = "done"
STOPPED: Literal["stopped"] = "stopped"
INTERRUPTED, UNREADABLE = "interrupted", "unreadable"
FINISHED = (DONE, STOPPED)

NOTE_LIMIT = 10_000
"""Characters in a note."""

RecordAndFaults = tuple[RunRecord, tuple[str, ...]]
"""A record, and its faults."""


class SavedCheckpoint(NamedTuple):
    """A checkpoint: the tensors, and the record of the same moment."""

    tensors: Weights
    record: RunRecord

    @property
    def state(self) -> Mapping[str, Any] | None:
        """What a training resumes from beside the tensors."""
        return self.record.state


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was when it was read.

    Attributes:
        id: its name in the experiment, such as `0007`.
        folder: where its files are.
        status: `running`; `interrupted`: unfinished, and no process makes it; `done`; `stopped`:
            ended early by a person; `unreadable`.
        record: of an unfinished run, as far as its checkpoint goes; empty if it cannot be read.
        note: what a person typed.
        problem: of an unreadable run, what is wrong, on one line.
        exports: the files that its net was written to, the newest last.
        faults: damaged values that the record leaves out, a line each.
    """

    id: str
    folder: Path
    status: str
    record: RunRecord
    note: str = ""
    problem: str | None = None
    exports: tuple[Export, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """It has ended, and its weights are there."""
        return self.status in FINISHED

    @property
    def resumable(self) -> bool:
        """It was interrupted, and goes on from its checkpoint or, without an epoch, starts over."""
        known = self.record.kind is not None and (self.record.state or not self.record.epochs)
        return self.status == INTERRUPTED and bool(known)

    @property
    def weights_path(self) -> Path:
        """Where a finished run's weights are."""
        return self.folder / WEIGHTS

    def checked(self) -> RunRecord:
        """The record, of which nothing is left out; raises InputError for a damaged value."""
        if self.faults:
            raise InputError(f"run {self.id} of {self.folder.parent}: {self.faults[0]}")
        return self.record

    def known(self, value: T | None, key: str) -> T:
        """A value of the record that has to be there; raises InputError if it is None."""
        if value is None:
            where = f"run {self.id} of {self.folder.parent}"
            raise InputError(f"{where}: {REPORT}: {key}: found nothing, expected a value")
        return value

    def weights(self) -> Weights:
        """The weights it produced, not compared with any net; see `load_weights` for that.

        Raises:
            InputError: the run is not finished, or the file is damaged.
        """
        if not self.finished:
            state = self.problem or self.status
            raise InputError(
                f"run {self.id} of {self.folder.parent}: {state}; expected a finished run"
            )
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self.weights_path)
        except (OSError, SafetensorError) as error:
            raise InputError(f"cannot read {self.weights_path} as safetensors: {error}") from error

    def checkpoint(self) -> SavedCheckpoint | None:
        """What an unfinished run resumes from; None if there is nothing yet.

        Raises:
            InputError: the file is damaged.
        """
        path = self.folder / CHECKPOINT
        if self.finished or not os.path.lexists(path):
            return None
        try:
            return read_checkpoint(path)
        except InputError as error:
            raise InputError(f"{error}; delete run {self.id} and start again") from error


def read_checkpoint(path: Path) -> SavedCheckpoint:
    """A checkpoint in a file.

    Raises:
        InputError: there is none, or it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        # Record and tensors of one file, which may be replaced meanwhile; and not mapped into
        # memory, as Windows would not let it be replaced then.
        with opened(path) as file:
            record, _ = _read_header(file)
            file.seek(0)
            return SavedCheckpoint(load(file.read()), record)
    except (FaultError, OSError, SafetensorError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def read_run(folder: Path) -> Run | None:
    """Read a run, whatever state it is in; None if the folder is no run, or not yet."""
    record, faults = RunRecord(), tuple[str, ...]()
    problem = None
    try:
        record, faults = read_report(folder)
        status = str(record.status)
        if status == RUNNING and not is_held(folder / LOCK):
            # It is let go after the report has said how it ended: what that says now is final.
            record, faults = read_report(folder)
            status = INTERRUPTED if record.status == RUNNING else str(record.status)
        if status in FINISHED:
            with opened(folder / WEIGHTS) as file:
                metadata(file)
        elif os.path.lexists(folder / CHECKPOINT):
            record, faults = _checkpoint_record(folder, (record, faults), trusted=status == RUNNING)
    except FaultError as fault:
        if not _is_run(folder):
            return None
        status, problem = UNREADABLE, str(fault)
    note, exports = read_note(folder), read_exports(folder)
    return Run(folder.name, folder, status, record, note, problem, exports, faults)


def read_note(folder: Path) -> str:
    """A run's note; empty where there is none that can be read."""
    try:
        with opened(folder / NOTE) as file:
            text = file.read(4 * NOTE_LIMIT).decode("utf-8", "replace")
            return "\n".join(text.splitlines()).strip()
    except (FaultError, OSError):
        return ""


def read_report(folder: Path) -> RecordAndFaults:
    """The record in a run's report; raises FaultError if there is none that states a status."""
    record, faults = read_record(read_json(folder / REPORT), REPORT)
    if record.status is None:
        raise FaultError(f"{REPORT} has no status that is known")
    return record, faults


def _read_header(file: BinaryIO) -> RecordAndFaults:
    return read_record(header_json(file), CHECKPOINT)


def _checkpoint_record(folder: Path, begun: RecordAndFaults, trusted: bool) -> RecordAndFaults:
    """The record in an unfinished run's checkpoint.

    Args:
        folder: of the run.
        begun: the record in its report.
        trusted: a process makes the run, and may replace or remove the file meanwhile; `begun`
            stands in for it then.
    """
    try:
        with opened(folder / CHECKPOINT) as file:
            return _read_header(file)
    except (FaultError, OSError):
        if trusted:
            return begun
        raise


def _is_run(folder: Path) -> bool:
    """Whether a folder holds anything of a run, or does not let it be known."""
    try:
        return bool({REPORT, WEIGHTS, CHECKPOINT, NOTE} & set(os.listdir(folder)))
    except FileNotFoundError:
        return False
    except OSError:
        return True
