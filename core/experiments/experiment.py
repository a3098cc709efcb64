"""An experiment on disk: a folder of runs, which can be found, started, resumed and deleted.

An experiment is a folder with a folder for each run, see `core.experiments.runs`; the scans of its
nets are in `scans`, see `core.experiments.saved_scans`. Listing it loads no torch.

`experiment_folder` decides where to record, `open_run` which run a user means. Both take a path or
the name of an experiment in the default place, by the same rule, so that what is recorded under a
name is found under it.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import platformdirs

from core.errors import InputError
from core.experiments.exports import Export, add_export
from core.experiments.run_record import Resumption, RunRecord, record_json
from core.experiments.run_writer import BEGUN, RunWriter, tidy
from core.experiments.runs import (
    INTERRUPTED,
    LOCK,
    NOTE,
    NOTE_LIMIT,
    REPORT,
    RUNNING,
    Run,
    read_run,
)
from core.system.files import write_text
from core.system.locks import HIDDEN, changing, erase, explained, is_held, make_folder, remove
from core.system.untrusted_json import to_json

PACKAGES = ("featherweight", "torch", "torchvision", "numpy")
"""Those whose versions are recorded with a run."""

_RUN_ID = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Experiment:
    """A folder of runs, which need not exist yet.

    Attributes:
        folder: that holds them.
    """

    folder: Path

    def runs(self) -> tuple[Run, ...]:
        """All runs, oldest first, in any state; none if there is no folder.

        Raises:
            InputError: the folder is there and cannot be read.
        """
        runs = (read_run(self.folder / name) for name in self._ids())
        return tuple(run for run in runs if run is not None)

    def find(self, run_id: str) -> Run:
        """The run with this id; leading zeros are optional.

        Raises:
            InputError: there is none.
        """
        ids = self._ids()
        if _RUN_ID.fullmatch(run_id) and (name := _name(int(run_id))) in ids:
            run = read_run(self.folder / name)
            if run is not None:
                return run
        expected = f"expected one from {ids[0]} to {ids[-1]}" if ids else "it has no runs yet"
        raise InputError(f"no run '{run_id}' in {self.folder}: {expected}")

    def newest(self) -> Run:
        """The run with the highest id, in any state; raises InputError if there are none."""
        for name in reversed(self._ids()):
            run = read_run(self.folder / name)
            if run is not None:
                return run
        if os.path.lexists(self.folder / REPORT):
            whole = f"{self.folder.parent}:{self.folder.name}"
            raise InputError(f"{self.folder} is a single run: use {whole}")
        raise InputError(f"{self.folder} has no runs: expected the folder of an experiment")

    def begin(self, record: RunRecord) -> RunWriter:
        """Begin a run under the next id; missing folders are made.

        Args:
            record: what is known of it already, to which time and environment are added.

        Raises:
            InputError: the folder cannot be written.
            ValueError: a number is not finite.
        """
        record = replace(record, created=_now(), environment=environment())
        text = to_json(record_json(replace(record, status=RUNNING)))
        make_folder(self.folder)
        with changing(self.folder):
            self._tidy()
            return RunWriter.begin(self._claim(text), record)

    def resume(self, run: Run) -> RunWriter:
        """Resume an interrupted run, from its `checkpoint` if it has one.

        Raises:
            InputError: it is not interrupted or damaged, or somebody goes on with it already.
        """
        with self._changing(run) as now:
            if now.status != INTERRUPTED:
                state = now.problem or now.status
                raise InputError(f"run {now.id} of {self.folder}: {state}; nothing to resume")
            record = now.checked()
            resumed = (*record.resumed, Resumption(_now(), environment()))
            tidy(now.folder)
            begun = replace(record, status=None, epochs=(), state=None, resumed=resumed)
            return RunWriter(now.folder, begun)

    def delete(self, run: Run) -> None:
        """Delete a run, atomically.

        Raises:
            InputError: it is running, already gone, or not writable.
        """
        with self._changing(run) as now:
            if is_held(now.folder / LOCK):
                raise InputError(f"run {now.id} of {self.folder} is {RUNNING}: stop it first")
            remove(now.folder)
            self._tidy()

    def annotate(self, run: Run, text: str) -> None:
        """Replace a run's note; an empty one removes it.

        Raises:
            InputError: the note is too long, the run is gone, or it cannot be written.
        """
        if len(text) > NOTE_LIMIT:
            raise InputError(f"a note of {len(text)} characters: expected at most {NOTE_LIMIT}")
        # What a terminal cannot decode comes as half a character, which no file takes.
        text = text.strip().encode("utf-8", "replace").decode()
        with self._changing(run) as now:
            path = now.folder / NOTE
            if text:
                write_text(path, text + "\n")
                return
            with explained(path):
                path.unlink(missing_ok=True)

    def add_export(self, run: Run, export: Export) -> None:
        """Record a file exported from a run's net.

        Raises:
            InputError: the run is gone, or it cannot be written.
        """
        with self._changing(run) as now:
            add_export(now.folder, export)

    def _ids(self) -> list[str]:
        """The names that a run's folder can have, in order; not all of them have to be runs."""
        try:
            with os.scandir(self.folder) as entries:
                names = [e.name for e in entries if _is_name(e.name) and os.path.isdir(e.path)]
        except FileNotFoundError:
            return []
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"cannot read {self.folder}: {why}; use another folder") from error
        return sorted(names, key=int)

    @contextmanager
    def _changing(self, run: Run) -> Iterator[Run]:
        """Be the only one who changes the experiment, and read a run anew."""
        self.find(run.id)  # a folder that is no experiment gets no lock
        with changing(self.folder):
            yield self.find(run.id)

    def _claim(self, text: str) -> Path:
        """Make the folder of the next run, with its report `text`, which is no run yet."""
        hidden = self.folder / f"{HIDDEN}{uuid4().hex}"
        with explained(hidden):
            hidden.mkdir()
        try:
            write_text(hidden / BEGUN, text)
            ids = self._ids()
            number = int(ids[-1]) + 1 if ids else 1
            while os.path.lexists(folder := self.folder / _name(number)):
                number += 1
            with explained(folder):
                hidden.rename(folder)
        except BaseException:
            erase(hidden)
            raise
        return folder

    def _tidy(self) -> None:
        """Remove what killed processes have left; only while nobody else changes anything."""
        for remnant in list(self.folder.glob(f"{HIDDEN}*")):
            erase(remnant)
        for name in self._ids():
            tidy(self.folder / name)


def default_root() -> Path:
    """The folder of experiments that are given by name or not at all."""
    return Path(platformdirs.user_data_dir("featherweight")) / "experiments"


def default_name(model: str, dataset: str) -> str:
    """The default name of an experiment, from short names: `cnn5-mnist`."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{model}-{dataset}").strip(".-")
    return name or "experiment"


def experiment_folder(given: str | Path | None, default_name: str) -> Path:
    """The folder of an experiment, existing or not.

    Without `given`, it is `default_name` in the default place. An existing folder is that folder. A
    bare name (without a separator) that is not a folder in the working directory is the experiment
    of this name in the default place, if it exists. Anything else is a path of a folder to create.

    Raises:
        InputError: what is given is a file, or no path.
    """
    if given is None:
        return default_root() / default_name
    path = _path(given)
    if os.path.exists(path) and not os.path.isdir(path):
        raise InputError(f"{path} is a file, expected the folder of an experiment")
    return _known(given, path) or path


def open_run(given: str) -> Run:
    """The run a user means: FOLDER or FOLDER:RUN-ID.

    FOLDER is a path, or the name of an experiment in the default place, see `experiment_folder`; on
    its own it means its newest run. The part after the last colon is an id only if it is a number
    and the whole is not itself a folder.

    Raises:
        InputError: there is no such experiment, or it has no such run.
    """
    folder, run_id = split_run(given)
    found = _known(folder, _path(folder))
    if found is None:
        names = ", ".join(experiment_names()) or "none yet"
        raise InputError(
            f"no experiment '{folder}': expected FOLDER or FOLDER:RUN-ID, where FOLDER is a path "
            f"or one of the names in {default_root()}: {names}"
        )
    experiment = Experiment(found)
    return experiment.newest() if run_id is None else experiment.find(run_id)


def split_run(given: str) -> tuple[str, str | None]:
    """Split FOLDER:RUN-ID; a Windows drive keeps its colon. See `open_run`."""
    folder, _, run_id = given.rpartition(":")
    if folder and _RUN_ID.fullmatch(run_id) and not os.path.isdir(given):
        return folder, run_id
    return given, None


def experiment_names() -> tuple[str, ...]:
    """The names of the experiments in the default place."""
    try:
        return tuple(sorted(path.name for path in default_root().iterdir() if path.is_dir()))
    except OSError:
        return ()


def environment() -> dict[str, str]:
    """What a result depends on besides its settings: Python, libraries, system and processor.

    It does not identify the user or the machine.
    """
    from importlib.metadata import PackageNotFoundError, version  # not before the first screen

    versions = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        **versions,
    }


def _processor() -> str:
    """The name of the processor's model, where the system tells."""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
            return found[1].strip()
    return platform.processor() or platform.machine()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _name(number: int) -> str:
    return f"{number:04d}"


def _is_name(name: str) -> bool:
    return bool(_RUN_ID.fullmatch(name)) and name == _name(int(name))


def _path(given: str | Path) -> Path:
    try:
        if str(given):
            return Path(given).expanduser().absolute()
    except RuntimeError as error:
        raise InputError(f"cannot expand the path '{given}': {error}") from error
    raise InputError("an empty path: expected the folder of an experiment")


def _known(given: str | Path, path: Path) -> Path | None:
    """The folder that is there, or else the experiment in the default place with a bare name."""
    if os.path.isdir(path):
        return path
    bare = Path(given).name == str(given)
    there = default_root() / str(given)
    return there if bare and os.path.isdir(there) else None
