"""One run of an experiment on disk: what it is made of, and reading it without trust.

    0001/run.json                everything that is known of the run; `status` says how it ended
    0001/weights.safetensors     what came of it
    0001/checkpoint.safetensors  only while it is unfinished: tensors, and the facts in the header
    0001/note.txt                what a person typed
    0001/exports.json            the files that its net was written to
    0001/lock                    held by the process that makes the run, and free when that is dead

`core.experiments.run_writer` says how it is written. Reading needs no torch, apart from tensors,
and unpickles nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.data.inputs import Inputs
from core.errors import InputError
from core.experiments.exports import Export, read_exports
from core.system.locks import is_held
from core.system.untrusted_json import FaultError, metadata, opened, read_json, saved_facts

if TYPE_CHECKING:
    from core.nets.weights import Weights

REPORT, WEIGHTS, NOTE = "run.json", "weights.safetensors", "note.txt"
CHECKPOINT, LOCK = "checkpoint.safetensors", "lock"

RUNNING, INTERRUPTED, DONE, STOPPED = "running", "interrupted", "done", "stopped"
UNREADABLE = "unreadable"
FINISHED = (DONE, STOPPED)

NOTE_LIMIT = 10_000
"""Characters in a note."""


class Saved(NamedTuple):
    """A checkpoint: the tensors, and the facts of the same moment."""

    tensors: Weights
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was when it was read.

    Attributes:
        id: its name in the experiment, such as `0007`.
        folder: where its files are.
        status: `running`; `interrupted`, unfinished and nobody makes it any more; `done`;
            `stopped`, finished early by a person; `unreadable`.
        facts: the report. Of an unfinished run, as far as its checkpoint goes. Empty where it
            cannot be read. Nothing in it is checked: a person may have edited the file.
        note: what a person typed.
        problem: of an unreadable run, what is wrong, on one line.
        exports: the files that its net was written to, the newest last.
    """

    id: str
    folder: Path
    status: str
    facts: Mapping[str, Any]
    note: str = ""
    problem: str | None = None
    exports: tuple[Export, ...] = ()

    @property
    def finished(self) -> bool:
        """It has come to an end, and its weights are there."""
        return self.status in FINISHED

    @property
    def weights_path(self) -> Path:
        """Where a finished run's weights are."""
        return self.folder / WEIGHTS

    @property
    def inputs(self) -> Inputs:
        """What was given of its images; where nothing says it, nothing.

        Raises:
            InputError: what the facts say is not known.
        """
        said = self.facts.get("inputs", {})
        try:
            return Inputs.of(said)
        except InputError as error:
            raise InputError(f"run {self.id} has {error}") from error

    def weights(self) -> Weights:
        """The weights that came of it, not compared with any net; see `load_weights` for that.

        Raises:
            InputError: the run is not finished, or the file is damaged.
        """
        if not self.finished:
            state = self.problem or self.status
            raise InputError(f"run {self.id} of {self.folder.parent}: {state}; give a finished one")
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self.weights_path)
        except (OSError, SafetensorError) as error:
            raise InputError(f"cannot read {self.weights_path} as safetensors: {error}") from error

    def checkpoint(self) -> Saved | None:
        """What an unfinished run can go on from; None where there is nothing.

        Raises:
            InputError: the file is damaged.
        """
        path = self.folder / CHECKPOINT
        if self.finished or not os.path.lexists(path):
            return None
        try:
            return saved_at(path)
        except InputError as error:
            raise InputError(f"{error}; delete run {self.id} and start again") from error


def saved_at(path: Path) -> Saved:
    """A checkpoint in a file.

    Raises:
        InputError: there is none, or it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        # Facts and tensors of one file, which may be replaced meanwhile; and not mapped into
        # memory, as Windows would not let it be replaced then.
        with opened(path) as file:
            facts = saved_facts(file)
            file.seek(0)
            return Saved(load(file.read()), facts)
    except (FaultError, OSError, SafetensorError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def read_run(folder: Path) -> Run | None:
    """Read a run, whatever state it is in; None where the folder is no run, or not yet."""
    facts: dict[str, Any] = {}
    problem = None
    try:
        status, facts = stated(folder)
        if status == RUNNING and not is_held(folder / LOCK):
            # It is let go after the report has said how it ended: what that says now is final.
            status, facts = stated(folder)
            status = INTERRUPTED if status == RUNNING else status
        if status in FINISHED:
            with opened(folder / WEIGHTS) as file:
                metadata(file)
        else:
            facts = _facts_so_far(folder, facts, trusted=status == RUNNING)
    except FaultError as fault:
        if not _is_run(folder):
            return None
        status, problem = UNREADABLE, str(fault)
    note, exports = read_note(folder), read_exports(folder)
    return Run(folder.name, folder, status, facts, note, problem, exports)


def read_note(folder: Path) -> str:
    """A run's note; empty where there is none that can be read."""
    try:
        with opened(folder / NOTE) as file:
            text = file.read(4 * NOTE_LIMIT).decode("utf-8", "replace")
            return "\n".join(text.splitlines()).strip()
    except (FaultError, OSError):
        return ""


def stated(folder: Path) -> tuple[str, dict[str, Any]]:
    """The status that a run's report states, and the rest of the report.

    Raises:
        FaultError: there is no report that can be read.
    """
    facts = read_json(folder / REPORT)
    status = facts.pop("status", None)
    if status not in (RUNNING, *FINISHED):
        raise FaultError(f"{REPORT} has no status that is known")
    return status, facts


def _facts_so_far(folder: Path, facts: dict[str, Any], trusted: bool) -> dict[str, Any]:
    """The facts of an unfinished run's checkpoint, or `facts` where there is none.

    Args:
        folder: of the run.
        facts: those of its report.
        trusted: somebody is making the run, who may replace and remove the file meanwhile.
    """
    path = folder / CHECKPOINT
    if not os.path.lexists(path):
        return facts
    try:
        with opened(path) as file:
            return saved_facts(file)
    except (FaultError, OSError):
        if trusted:
            return facts
        raise


def _is_run(folder: Path) -> bool:
    """Whether a folder holds anything of a run, or does not let it be known."""
    try:
        return bool({REPORT, WEIGHTS, CHECKPOINT, NOTE} & set(os.listdir(folder)))
    except FileNotFoundError:
        return False
    except OSError:
        return True
