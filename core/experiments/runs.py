"""One run of an experiment on disk: its files, read as untrusted input.

    0001/run.json                the record of the run; its `status` says how the run ended
    0001/weights.safetensors     the net it produced; the record has the digest of its tensors
    0001/checkpoint.safetensors  only while unfinished: tensors, and the record in the header
    0001/note.txt                the user's note
    0001/exports.json            the files its net was exported to
    0001/light.fw                the compact file that a descent by bytes judges its net by
    0001/lock                    held by the process that writes the run; released when it ends

`core.experiments.run_record` declares the record, `core.experiments.run_writer` writes the files.
Reading unpickles nothing, and loads torch only for tensors.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, TypeVar

from core.errors import InputError
from core.experiments.exports import Export, read_exports
from core.experiments.run_record import Faults, RunRecord, read_record
from core.system.locks import is_held
from core.system.untrusted_json import (
    DIGEST,
    FaultError,
    open_file,
    read_header_json,
    read_json,
    read_metadata,
)

if TYPE_CHECKING:
    from torch import nn

    from core.nets.weights import DenseWeights, Weights

T = TypeVar("T")

REPORT, WEIGHTS, NOTE = "run.json", "weights.safetensors", "note.txt"
LIGHT = "light.fw"
CHECKPOINT, LOCK = "checkpoint.safetensors", "lock"

RUNNING: Literal["running"] = "running"
DONE: Literal["done"] = "done"
STOPPED: Literal["stopped"] = "stopped"
INTERRUPTED, UNREADABLE = "interrupted", "unreadable"
FINISHED = (DONE, STOPPED)

NOTE_LIMIT = 10_000
"""Most characters in a note."""


class SavedCheckpoint(NamedTuple):
    """The tensors and the record of a run after the same epoch."""

    tensors: Weights
    record: RunRecord


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was when read.

    Attributes:
        id: its name in the experiment, such as `0007`.
        status: `running`; `interrupted`: unfinished, and no process runs it; `done`; `stopped`:
            ended early by the user; `unreadable`.
        record: up to the checkpoint of an unfinished run; empty if it cannot be read.
        problem: why the run is unreadable, on one line.
        exports: the files its net was exported to, the newest last.
    """

    id: str
    folder: Path
    status: str
    record: RunRecord
    note: str = ""
    problem: str | None = None
    exports: tuple[Export, ...] = ()
    faults: Faults = ()

    def __str__(self) -> str:
        return f"run {self.id} of {self.folder.parent}"

    @property
    def finished(self) -> bool:
        """Whether it has ended and has weights."""
        return self.status in FINISHED

    @property
    def resumable(self) -> bool:
        """Whether it was interrupted and can continue, or start over if it has no epoch yet."""
        can_start = self.record.kind is not None and (self.record.state or not self.record.epochs)
        return self.status == INTERRUPTED and bool(can_start)

    @property
    def weights_path(self) -> Path:
        """The weights file of a finished run."""
        return self.folder / WEIGHTS

    def checked(self) -> RunRecord:
        """The record; raises InputError if it is unreadable or a value is damaged."""
        if self.problem is not None:
            raise InputError(f"{self} is unreadable: {self.problem}; {self._way_out}")
        if self.faults:
            raise InputError(f"{self}: {self.faults[0]}; {self._way_out}")
        return self.record

    def check_finished(self) -> None:
        """Raise InputError if it has no weights to read, saying why and what to do."""
        self.checked()
        if self.status == RUNNING:
            raise InputError(f"{self} is running: expected a finished run; wait for it to end")
        if not self.finished:
            how = f"resume it with featherweight run --resume {self.folder.parent}:{self.id}"
            raise InputError(f"{self} is {self.status}: expected a finished run; {how}")

    @property
    def _way_out(self) -> str:
        """What to do about a damaged file."""
        way = "restore the file from a backup, or"
        is_of_weights = WEIGHTS in (self.problem or "")
        if not is_of_weights and os.path.isfile(self.weights_path):
            return f"{way} open its net with --weights {self.weights_path}"
        return f"{way} delete the run and start it again"

    def required(self, value: T | None, key: str) -> T:
        """A value the record must have; raises InputError if it is None."""
        if value is None:
            raise InputError(f"{self}: {REPORT}: {key}: found nothing, expected a value")
        return value

    def weights(self) -> Weights:
        """The weights it produced, without checking that they fit a net; see `dense_weights`.

        Raises InputError if the run is not finished, or the file is damaged.
        """
        self.check_finished()
        from core.formats.weights_files import read_safetensors

        return read_safetensors(self.weights_path, self.record.weights)

    def check_weights(self) -> None:
        """Raise InputError if it has no weights, or not those that were written.

        A file is read once, until it changes.
        """
        self.check_finished()
        try:
            facts = self.weights_path.stat()
        except OSError as error:
            raise InputError(f"cannot read {self.weights_path}: {error.strerror}") from error
        _check_digest(self.weights_path, self.record.weights, facts.st_mtime_ns, facts.st_size)

    def dense_weights(self, model: nn.Module) -> DenseWeights:
        """The weights it produced, and the early ones of a training; see `load_dense`.

        Raises InputError if the run is not finished, the file is damaged, or not of this model.
        """
        self.check_finished()
        from core.formats.weights_files import load_dense

        return load_dense(self.weights_path, model, self.record.weights)

    def checkpoint(self) -> SavedCheckpoint | None:
        """What an unfinished run resumes from, if anything; raises InputError if damaged."""
        path = self.folder / CHECKPOINT
        if self.finished or not os.path.lexists(path):
            return None
        try:
            return read_checkpoint(path)
        except InputError as error:
            raise InputError(f"{error}; delete run {self.id} and start again") from error


@lru_cache(maxsize=256)
def _check_digest(path: Path, digest: str | None, _time: int, _size: int) -> None:
    """Raise InputError if a file's tensors do not have a digest; without one, they are not read."""
    if digest is not None:
        from core.formats.weights_files import read_safetensors

        read_safetensors(path, digest)


def read_checkpoint(path: Path) -> SavedCheckpoint:
    """Read a checkpoint; raises InputError if it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from core.formats.weights_files import check_digest

    try:
        # Read both from one open file, which may be replaced meanwhile, and without mapping it
        # into memory, since Windows cannot replace a mapped file.
        with open_file(path) as file:
            record, _ = _read_header(file)
            file.seek(0)
            digest = read_metadata(file).get(DIGEST)
            file.seek(0)
            tensors = load(file.read())
        check_digest(tensors, digest)
        return SavedCheckpoint(tensors, record)
    except (FaultError, OSError, SafetensorError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def read_run(folder: Path) -> Run | None:
    """Read a run in any state; None if the folder is not a run, or not yet one."""
    record, faults = RunRecord(), Faults()
    problem = None
    try:
        record, faults = read_report(folder)
        status = str(record.status)
        if status == RUNNING and not is_held(folder / LOCK):
            # A run's lock is released after its final report is written: read that one.
            record, faults = read_report(folder)
            status = INTERRUPTED if record.status == RUNNING else str(record.status)
        if status in FINISHED:
            with open_file(folder / WEIGHTS) as file:
                read_metadata(file)
        elif os.path.lexists(folder / CHECKPOINT):
            try:
                with open_file(folder / CHECKPOINT) as file:
                    record, faults = _read_header(file)
            except (FaultError, OSError):
                if status != RUNNING:  # else its process may be replacing or removing the file
                    raise
    except FaultError as fault:
        if not _is_run(folder):
            return None
        status, problem = UNREADABLE, str(fault)
    note, exports = read_note(folder), read_exports(folder)
    return Run(folder.name, folder, status, record, note, problem, exports, faults)


def check_outside_runs(path: Path) -> None:
    """Raise InputError if a file would be among those of a run, whose digests it would not fit."""
    folder = path.resolve().parent
    if folder.name.isdigit() and (folder / REPORT).exists():  # a report may be called so, too
        raise InputError(f"cannot write {path}: {folder} holds a run; choose another folder")


def read_note(folder: Path) -> str:
    """A run's note; empty if there is no readable one."""
    try:
        with open_file(folder / NOTE) as file:
            text = file.read(4 * NOTE_LIMIT).decode("utf-8", "replace")
            return "\n".join(text.splitlines()).strip()
    except (FaultError, OSError):
        return ""


def read_report(folder: Path) -> tuple[RunRecord, Faults]:
    """The record in a run's report; raises FaultError if it is unreadable or has no status."""
    record, faults = read_record(read_json(folder / REPORT), REPORT)
    if record.status is None:
        raise FaultError(f"{REPORT} has no known status")
    return record, faults


def _read_header(file: BinaryIO) -> tuple[RunRecord, Faults]:
    return read_record(read_header_json(file), CHECKPOINT)


def _is_run(folder: Path) -> bool:
    """Whether a folder holds files of a run, or cannot be listed."""
    try:
        return bool({REPORT, WEIGHTS, CHECKPOINT, NOTE} & set(os.listdir(folder)))
    except FileNotFoundError:
        return False
    except OSError:
        return True
