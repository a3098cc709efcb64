"""Checks of what the user typed, before anything else happens.

A command that opens a net calls `check_settings` and, unless it opens the app, `workbench_for`,
before it downloads, times, trains or prints anything. The rules for paths are in
`core.system.files`.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.registry import check_name, short_data_name
from core.errors import InputError
from core.experiments.experiment import Experiment, default_name, experiment_folder
from core.experiments.runs import Run, check_outside_runs
from core.formats.recognition import check_weights_file
from core.settings.settings import Settings
from core.system.files import check_writable, check_writable_folder
from tui.cli.read_options import preferences_of

if TYPE_CHECKING:
    from core.jobs.workbench import Workbench


def check_settings(settings: Settings) -> None:
    """Check paths and names without loading torch; raises InputError for an unusable one."""
    check_name(settings.dataset)
    if settings.weights is not None:
        check_weights_file(settings.weights)
    check_data_dir(settings.data_dir)


def check_data_dir(folder: Path | None) -> None:
    """Raise InputError if data sets cannot be stored in `folder`; None is the default folder."""
    if folder is not None:
        check_writable_folder(folder, "--data-dir")


def workbench_for(
    args: Namespace, settings: Settings, weights: Path | Run | None = None, trains: bool = False
) -> Workbench:
    """The workbench of a command, after all checks of its settings and its JSON file.

    `weights` is the file or run whose weights the command reads, if not those in the settings;
    `trains` is whether it trains the net.

    Raises:
        InputError: an option cannot be used, or the weights do not fit the net.
    """
    check_settings(settings)
    check_output(args.json)
    if trains and settings.changes.epochs == 0:
        raise InputError(
            "--epochs 0: this command trains; featherweight run --epochs 0 only prunes"
        )
    from core.jobs.preflight import check
    from core.jobs.workbench import Workbench

    workbench = Workbench(settings)
    check(workbench, weights, trains)
    return workbench


def experiment_for(args: Namespace, settings: Settings) -> Experiment:
    """The experiment the command records in; raises InputError if its folder is not writable."""
    name = default_name(settings.short_name, short_data_name(settings.dataset))
    named = getattr(args, "experiment", preferences_of(args).experiment)
    folder = experiment_folder(named, name)
    if "experiment" in args:
        check_writable_folder(folder, "--experiment")
    return Experiment(folder, required=named is not None)


def check_output(path: str | None) -> None:
    """Raise InputError if a report cannot be written to `path`; `-` is standard output."""
    if path == "-" and sys.__stdout__ is None:
        raise InputError("--json -: standard output is closed; give the path of a file")
    if path is not None and path != "-":
        _check_file(Path(path))


def check_target(to: Path, json: str | None) -> None:
    """Raise InputError if a net cannot be written to `to`, or the report would replace it."""
    if str(to) == "-":
        raise InputError("--to -: a net is written to a file; give its path")
    _check_file(to)
    if json not in (None, "-") and Path(json).resolve() == to.resolve():
        raise InputError(f"--json {json} would replace the net in the same file: give another")


def _check_file(path: Path) -> None:
    check_writable(path)
    check_outside_runs(path)
