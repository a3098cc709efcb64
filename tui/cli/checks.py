"""The checks of every command: what a person typed is checked before anything else happens.

Each command goes through `check_settings` and, unless it opens the terminal program,
`workbench_for`, before it fetches, times, trains or prints anything.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from core.data import check_name
from core.experiments.experiment import Experiment
from core.settings.settings import Settings
from core.system.files import check_readable, check_writable, check_writable_folder
from tui.cli import options

if TYPE_CHECKING:
    from core.jobs.workbench import Workbench


def check_settings(settings: Settings) -> None:
    """Check the paths and names in `settings` without loading torch.

    Raises:
        InputError: one of them cannot be used.
    """
    check_name(settings.dataset)
    if settings.weights is not None:
        check_readable(settings.weights, "weights")
    if settings.data_dir is not None:
        check_writable_folder(settings.data_dir, "--data-dir")


def workbench_for(given: Namespace, settings: Settings, weights: Path | None = None) -> Workbench:
    """The workbench of a command, once everything in its settings is checked.

    Args:
        given: the options; its `json` must be writable.
        settings: from the options.
        weights: the file the command reads, where it is not that of the settings.

    Raises:
        InputError: an option cannot be used, or the weights do not fit the net.
    """
    check_settings(settings)
    check_output(given.json)
    from core.jobs.preflight import check
    from core.jobs.workbench import Workbench

    workbench = Workbench(settings)
    check(workbench, weights)
    return workbench


def experiment_for(given: Namespace, settings: Settings) -> Experiment:
    """Where the command records; raises InputError where a person names a place it cannot."""
    experiment = options.experiment_of(given, settings)
    if "experiment" in given:
        check_writable_folder(experiment.folder, "--experiment")
    return experiment


def check_output(path: str | Path | None) -> None:
    """Raise InputError where a result could not be written to `path` in the end."""
    if path is not None and path != "-":
        check_writable(Path(path))
