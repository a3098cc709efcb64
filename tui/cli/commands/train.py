"""The command `train`: train a dense net and write its weights."""

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import InputError, WriteError
from core.events import Notice, StopFlag, Stream
from core.experiments.run_record import RunRecord, report_json
from core.experiments.runs import WEIGHTS
from core.formats.export_formats import PICKLES, SAFETENSORS, SUFFIXES
from tui.cli import checks, read_options
from tui.cli.command import Command

NOTES = ("model", "dataset", "protocol", "recipe", "seed")
"""Entries of the record that are also written into the file of weights."""


@dataclass(frozen=True)
class RunOutcome:
    """The record of a run and its place.

    Attributes:
        run: None if it could not be recorded.
        file: the weights of a dense training; None if they could not be written.
    """

    record: RunRecord
    experiment: Path
    run: str | None
    file: Path | None = None

    @property
    def recorded_weights(self) -> Path | None:
        """The file of weights in the run."""
        return None if self.run is None else self.experiment / self.run / WEIGHTS

    def report(self) -> dict[str, Any]:
        """What `--json` writes."""
        return {**report_json(self.record), "experiment": str(self.experiment), "run": self.run}


def prepare(args: Namespace) -> Command[RunOutcome]:
    """Check the options; raises InputError."""
    if "weights" in args:
        raise InputError(f"train starts from fresh weights: remove --weights {args.weights}")
    settings = read_options.settings_of(args)
    experiment = checks.experiment_for(args, settings)
    target = _target(args, settings.short_name)
    workbench = checks.workbench_for(args, settings, trains=True)
    from core.formats.weights_files import save_dense
    from core.jobs import recorded_jobs
    from core.jobs.report import trained_record
    from core.nets.weights import DenseWeights

    def work(stop: StopFlag) -> Stream[RunOutcome]:
        result = yield from recorded_jobs.train(workbench, experiment, stop)
        record = trained_record(workbench, result)
        notes = {name: str(getattr(record, name)) for name in NOTES}
        outcome = RunOutcome(record, experiment.folder, result.run, target)
        try:
            save_dense(target, DenseWeights(result.weights, result.early), notes)
        except WriteError as error:
            yield Notice(str(error), warning=True, lost=True)
            return replace(outcome, file=outcome.recorded_weights)
        return outcome

    def show(result: RunOutcome, console: Console) -> Mapping[str, Any]:
        print_trained(result.record, result.file, console)
        return {**result.report(), "file": result.file and str(result.file)}

    return Command(work, show, args.json)


def _target(args: Namespace, name: str) -> Path:
    """The file for the weights; raises InputError if it cannot be written."""
    target: Path = args.to or Path(f"{name}.safetensors")
    if target.suffix in {*PICKLES, *SUFFIXES} - {SAFETENSORS}:
        raise InputError(
            f"weights are written as safetensors: use a name such as {target.stem}.safetensors"
        )
    checks.check_target(target, args.json)
    if os.path.lexists(target):
        raise InputError(f"{target} already exists: choose another file with --to FILE")
    return target


def print_trained(record: RunRecord, weights: Path | None, console: Console) -> None:
    """Print the best epoch of a dense training and the file of its weights, if there is one."""
    early = ", stopped early" if record.stopped else ""
    place = "the weights are lost" if weights is None else f"weights in {weights}"
    console.print(f"best epoch {record.best}{early}; {place}")
