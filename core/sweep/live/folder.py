"""The files of a sweep, in a folder of its experiment.

    sweeps/0001/events.jsonl   what has happened: an event a line, see `core.sweep.live.event_json`
    sweeps/0001/progress.json  how far the trials are: replaced as they go on
    sweeps/0001/stop/all       asks the driver to stop the sweep
    sweeps/0001/stop/3         asks it to stop one trial, by its number
    sweeps/0001/errors.txt     what a driver without a terminal has printed on standard error
    sweeps/0001/lock           held by the driver; released when it ends, however it does

The log grows by a line for each beginning, epoch, notice and end of a trial, about 200 bytes.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from core.errors import InputError
from core.system.locks import delete_tree, explain_write_errors, is_held, make_folder

SWEEPS = "sweeps"
LOG, PROGRESS, ERRORS, LOCK, STOP = "events.jsonl", "progress.json", "errors.txt", "lock", "stop"

ALL = "all"

KEPT = 5
"""Sweeps of an experiment whose files are kept, beside those that run."""

_NAME = re.compile(r"[0-9]{4,9}")


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """The files of one sweep."""

    path: Path

    @classmethod
    def claim(cls, experiment: Path) -> SweepFolder:
        """Make the folder of the next sweep; raises InputError if it cannot be written.

        Older sweeps that have ended are deleted.
        """
        root = experiment / SWEEPS
        make_folder(root)
        before = sweeps_of(experiment)
        for old in before[:-KEPT]:
            if not old.is_running:
                delete_tree(old.path)
        number = int(before[-1].path.name) + 1 if before else 1
        while True:
            path = root / f"{number:04d}"
            with explain_write_errors(path):
                try:
                    path.mkdir()
                except FileExistsError:  # another one begins just now
                    number += 1
                    continue
                (path / STOP).mkdir()
            return cls(path)

    @property
    def experiment(self) -> Path:
        """The folder of the experiment."""
        return self.path.parents[1]

    @property
    def is_running(self) -> bool:
        """Whether the process that runs it is alive."""
        return is_held(self.path / LOCK)

    def stop(self, trial: int | None = None) -> None:
        """Ask the driver to stop a trial, or all of them; raises InputError if that fails."""
        path = self.path / STOP / (ALL if trial is None else str(trial))
        with explain_write_errors(path):
            path.touch()

    def stops(self) -> tuple[bool, frozenset[int]]:
        """Whether to stop all trials, and the numbers of those to stop alone."""
        try:
            names = os.listdir(self.path / STOP)
        except OSError:
            return False, frozenset()
        return ALL in names, frozenset(int(name) for name in names if name.isdecimal())

    def delete(self) -> None:
        """Delete it, as far as possible, and the folders above it if nothing else is in them."""
        delete_tree(self.path)
        with suppress(OSError):
            self.path.parent.rmdir()
            self.experiment.rmdir()


def sweeps_of(experiment: Path) -> tuple[SweepFolder, ...]:
    """The sweeps of an experiment whose files are there, oldest first."""
    try:
        with os.scandir(experiment / SWEEPS) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return ()
    names = sorted(filter(_NAME.fullmatch, names), key=int)
    return tuple(SweepFolder(experiment / SWEEPS / name) for name in names)


def check_alone(experiment: Path) -> None:
    """Raise InputError if a sweep runs in an experiment: trials that both have would run twice."""
    sweep = newest_sweep(experiment)
    if sweep is not None and sweep.is_running:
        raise InputError(
            f"a sweep is running in {experiment}: watch it with featherweight sweep --attach "
            f"{quote(str(experiment))}, or name another experiment with --experiment"
        )


def newest_sweep(experiment: Path) -> SweepFolder | None:
    """The newest sweep that runs, else the newest one; None if there are none."""
    begun = [sweep for sweep in sweeps_of(experiment) if (sweep.path / LOG).is_file()]
    running = [sweep for sweep in begun if sweep.is_running]
    return next(iter((running or begun)[::-1]), None)
