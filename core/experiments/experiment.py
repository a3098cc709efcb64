"""An experiment on disk: find, begin, resume and delete its runs.

An experiment is a folder with one folder per run, see `core.experiments.runs`, and the scans of its
nets in `scans`, see `core.experiments.saved_scans`. Listing it loads no torch.
"""

import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

import platformdirs

from core.errors import InputError
from core.experiments.exports import Export, add_export
from core.experiments.run_record import Resumption, RunRecord, record_json
from core.experiments.run_writer import PENDING_REPORT, RunWriter, tidy
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
from core.system.locks import (
    HIDDEN,
    delete_tree,
    explain_write_errors,
    is_held,
    locked,
    make_folder,
    remove,
)
from core.system.processor import processor
from core.system.untrusted_json import to_json

PACKAGES = ("featherweight", "torch", "torchvision", "numpy")
"""Packages whose versions are recorded with a run."""

_RUN_ID = re.compile(r"[0-9]{1,9}")
_RUN_NAME = re.compile(r"[0-9]{4}|[1-9][0-9]{4,8}")


@dataclass(frozen=True, slots=True)
class Experiment:
    """A folder of runs, which need not exist yet.

    Attributes:
        required: the user asked for it by name, so that failing to write it is an error; otherwise
            it is a warning.
    """

    folder: Path
    required: bool = field(default=False, compare=False)

    def runs(self) -> tuple[Run, ...]:
        """All runs, oldest first, in any state; none if the folder is missing.

        Raises InputError if the folder cannot be read.
        """
        return tuple(filter(None, self.read()[1]))

    def read(self) -> tuple[int, Iterator[Run | None]]:
        """How many runs there are, and each one as it is read; None if it has just been deleted.

        Raises InputError if the folder cannot be read.
        """
        ids = self._ids()
        return len(ids), (read_run(self.folder / name) for name in ids)

    def find(self, run_id: str) -> Run:
        """The run with this id, leading zeros optional; raises InputError if there is none."""
        ids = self._ids()
        name = _run_name(int(run_id)) if _RUN_ID.fullmatch(run_id) else ""
        if name in ids and (run := read_run(self.folder / name)):
            return run
        expected = f"expected one from {ids[0]} to {ids[-1]}" if ids else "it has no runs yet"
        raise InputError(f"no run '{run_id}' in {self.folder}: {expected}")

    def newest(self) -> Run:
        """The run with the highest id, in any state; raises InputError if there are none."""
        for name in reversed(self._ids()):
            if run := read_run(self.folder / name):
                return run
        if os.path.lexists(self.folder / REPORT):
            run_name = f"{self.folder.parent}:{self.folder.name}"
            raise InputError(f"{self.folder} is a single run: use {run_name}")
        raise InputError(f"{self.folder} has no runs: expected the folder of an experiment")

    def begin(self, record: RunRecord, *, tidies: bool = True) -> RunWriter:
        """Begin a run under the next id, and create folders.

        Adds the time to `record`, and this environment unless it names the one of another machine.
        If it `tidies`, it looks at all runs for what killed processes left; one who begins many
        runs calls `tidy` once.

        Raises InputError if the folder cannot be written, ValueError if a number is not finite.
        """
        record = replace(record, created=_now(), environment=record.environment or environment())
        text = to_json(record_json(replace(record, status=RUNNING)))
        make_folder(self.folder)
        with locked(self.folder):
            if tidies:
                self._tidy()
            return RunWriter.begin(self._claim(text), record)

    def tidy(self) -> None:
        """Remove what killed processes left; raises InputError if that is not possible."""
        if self.folder.is_dir():
            with locked(self.folder):
                self._tidy()

    def resume(self, run: Run) -> RunWriter:
        """Resume an interrupted run, from its `checkpoint` if it has one.

        Raises InputError if it is not interrupted, is damaged, or is already being resumed.
        """
        with self._locked(run) as current:
            record = current.checked()
            if current.status != INTERRUPTED:
                raise InputError(f"{current}: {current.status}; nothing to resume")
            resumed = (*record.resumed, Resumption(_now(), environment()))
            tidy(current.folder)
            begun = replace(record, status=None, epochs=(), state=None, resumed=resumed)
            return RunWriter(current.folder, begun)

    def delete(self, run: Run) -> None:
        """Delete a run atomically; raises InputError if it is running, gone or not writable."""
        with self._locked(run) as current:
            if is_held(current.folder / LOCK):
                raise InputError(f"{current} is {RUNNING}: stop it first")
            remove(current.folder)
            self._tidy()

    def annotate(self, run: Run, text: str) -> None:
        """Replace a run's note; an empty one removes it.

        Raises InputError if the note is too long, the run is gone, or it cannot be written.
        """
        if len(text) > NOTE_LIMIT:
            raise InputError(f"a note of {len(text)} characters: expected at most {NOTE_LIMIT}")
        # A terminal yields lone surrogates for bytes it cannot decode; no file can store them.
        text = text.strip().encode("utf-8", "replace").decode()
        with self._locked(run) as current:
            path = current.folder / NOTE
            if text:
                write_text(path, text + "\n")
                return
            with explain_write_errors(path):
                path.unlink(missing_ok=True)

    def add_export(self, run: Run, export: Export) -> None:
        """Record a file exported from a run's net; raises InputError if the run is gone."""
        with self._locked(run) as current:
            add_export(current.folder, export)

    def _ids(self) -> list[str]:
        """The names of folders that may be runs, in order."""
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if _is_run(entry)]
        except FileNotFoundError:
            return []
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"cannot read {self.folder}: {why}; use another folder") from error
        return sorted(names, key=int)

    @contextmanager
    def _locked(self, run: Run) -> Iterator[Run]:
        """Lock the experiment and read a run again."""
        self.find(run.id)  # before the lock, so that no other folder gets one
        with locked(self.folder):
            yield self.find(run.id)

    def _claim(self, text: str) -> Path:
        """Create the folder of the next run with its report pending."""
        hidden = self.folder / f"{HIDDEN}{uuid4().hex}"
        with explain_write_errors(hidden):
            hidden.mkdir()
        try:
            write_text(hidden / PENDING_REPORT, text)
            number = int((self._ids() or ["0"])[-1]) + 1
            while os.path.lexists(folder := self.folder / _run_name(number)):
                number += 1
            with explain_write_errors(folder):
                hidden.rename(folder)
        except BaseException:
            delete_tree(hidden)
            raise
        return folder

    def _tidy(self) -> None:
        """Remove what killed processes left; the caller holds the lock."""
        for remnant in list(self.folder.glob(f"{HIDDEN}*")):
            delete_tree(remnant)
        for name in self._ids():
            tidy(self.folder / name)


def default_root() -> Path:
    """The folder of experiments named without a path."""
    return Path(platformdirs.user_data_dir("featherweight")) / "experiments"


def default_name(model: str, dataset: str) -> str:
    """The default name of an experiment, from short names: `cnn5-mnist`."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{model}-{dataset}").strip(".-")
    return name or "experiment"


def experiment_folder(target: str | Path | None, default_name: str) -> Path:
    """The folder of an experiment, existing or not.

    None stands for `default_name` in the default root. An existing folder is that folder. A bare
    name (without a separator) that is not a folder in the working directory is the experiment of
    this name in the default root, if it exists. Anything else is the path of a folder to create.

    Raises InputError if `target` is a file, or not a path.
    """
    if target is None:
        return default_root() / default_name
    path = _to_path(target)
    if os.path.exists(path) and not os.path.isdir(path):
        raise InputError(f"{path} is a file, expected the folder of an experiment")
    return _existing_folder(target, path) or path


def open_run(target: str) -> Run:
    """The run a user names: FOLDER or FOLDER:RUN-ID.

    FOLDER is a path, or the name of an experiment in the default root, see `experiment_folder`; by
    itself it names its newest run. The part after the last colon is an id only if it is a number
    and `target` is not itself a folder. Raises InputError if there is no such experiment or run.
    """
    folder, run_id = split_run(target)
    path = _existing_folder(folder, _to_path(folder))
    if path is None:
        names = ", ".join(experiment_names()) or "none yet"
        raise InputError(
            f"no experiment '{folder}': expected FOLDER or FOLDER:RUN-ID, where FOLDER is a path "
            f"or one of the names in {default_root()}: {names}"
        )
    experiment = Experiment(path)
    return experiment.newest() if run_id is None else experiment.find(run_id)


def split_run(target: str) -> tuple[str, str | None]:
    """Split FOLDER:RUN-ID; a Windows drive keeps its colon. See `open_run`."""
    folder, _, run_id = target.rpartition(":")
    if folder and _RUN_ID.fullmatch(run_id) and not os.path.isdir(target):
        return folder, run_id
    return target, None


def experiment_names() -> tuple[str, ...]:
    """The names of the experiments in the default root."""
    try:
        return tuple(sorted(path.name for path in default_root().iterdir() if path.is_dir()))
    except OSError:
        return ()


@cache
def environment() -> Mapping[str, str]:
    """Versions, system and processor that results depend on; does not identify user or machine.

    Looked up once for all runs: reading the packages' metadata takes longer than writing a run.
    """
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    versions = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        **versions,
    }


def _is_run(entry: os.DirEntry[str]) -> bool:
    """Whether a folder may be a run; no system call for each, since there may be thousands."""
    try:
        return _RUN_NAME.fullmatch(entry.name) is not None and entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _run_name(number: int) -> str:
    return f"{number:04d}"


def _to_path(target: str | Path) -> Path:
    try:
        if str(target):
            return Path(target).expanduser().absolute()
    except RuntimeError as error:
        raise InputError(f"cannot expand the path '{target}': {error}") from error
    raise InputError("an empty path: expected the folder of an experiment")


def _existing_folder(target: str | Path, path: Path) -> Path | None:
    """The folder `path`, else the experiment in the default root with the bare name `target`."""
    if os.path.isdir(path):
        return path
    named = default_root() / str(target)
    return named if Path(target).name == str(target) and os.path.isdir(named) else None
