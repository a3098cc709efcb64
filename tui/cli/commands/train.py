"""The command `train`: train a dense net and write its weights."""

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import InputError
from core.events import StopFlag, Stream
from core.experiments.run_record import RunRecord, report_json
from core.formats.export_formats import PICKLES, SAFETENSORS, SUFFIXES
from core.nets.zoo import short_name
from tui.cli import checks, read_options
from tui.cli.command import Command

Report = Mapping[str, Any]

NOTES = ("model", "dataset", "protocol", "recipe", "seed")
"""Entries of the report that are also written into the file of weights."""


def prepare(args: Namespace) -> Command[tuple[RunRecord, Report]]:
    """Check the options; raises InputError."""
    if "weights" in args:
        raise InputError(f"train starts from fresh weights: remove --weights {args.weights}")
    settings = read_options.settings_of(args)
    experiment = checks.experiment_for(args, settings)
    target = _target(args, settings.model)
    workbench = checks.workbench_for(args, settings)
    from core.formats.weights_files import save_dense
    from core.jobs import recorded_jobs
    from core.jobs.report import trained_record
    from core.nets.weights import DenseWeights

    def work(stop: StopFlag) -> Stream[tuple[RunRecord, Report]]:
        result = yield from recorded_jobs.train(workbench, experiment, stop)
        record = trained_record(workbench, result)
        report = report_json(record)
        notes = {name: str(report[name]) for name in NOTES}
        save_dense(target, DenseWeights(result.weights, result.early), notes)
        place = {"file": str(target), "experiment": str(experiment.folder), "run": result.run}
        return record, {**report, **place}

    def show(result: tuple[RunRecord, Report], console: Console) -> Report:
        record, report = result
        print_trained(record, target, console)
        return report

    return Command(work, show, args.json)


def _target(args: Namespace, model: str) -> Path:
    """The file for the weights; raises InputError if it cannot be written."""
    target: Path = args.to or Path(f"{short_name(model)}.safetensors")
    if target.suffix in {*PICKLES, *SUFFIXES} - {SAFETENSORS}:
        raise InputError(
            f"weights are written as safetensors: use a name such as {target.stem}.safetensors"
        )
    if args.to is None and os.path.exists(target):
        raise InputError(f"{target} already exists: choose another file with --to FILE")
    checks.check_output(target)
    return target


def print_trained(record: RunRecord, weights: Path, console: Console) -> None:
    """Print the best epoch of a dense training and the file of its weights."""
    early = ", stopped early" if record.stopped else ""
    console.print(f"best epoch {record.best}{early}; weights in {weights}")
