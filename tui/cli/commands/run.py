"""The command `run`: prune and fine-tune, or resume a run that was interrupted."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.table import Table

from core.events import Notice
from core.experiments.experiment import Experiment, open_run
from core.experiments.run_record import TRAIN, RunRecord, report_json
from core.experiments.runs import STOPPED, WEIGHTS, Run
from core.nets.footprint import BYTES_PER_VALUE, COUNTED, MIB
from core.pruning.presets import default_preset, preset_plan
from tui.cli import checks, options
from tui.cli.command import Command
from tui.cli.commands.train import early, print_trained
from tui.text.format import count, percent, without_dead
from tui.text.lines import clean

if TYPE_CHECKING:
    from core.events import StopFlag, Stream

T = TypeVar("T")
Recorded = tuple[RunRecord, str | None]
"""What is recorded of a run, and its id; None where it could not be written."""


def prepare(given: Namespace) -> Command[Recorded]:
    """Check the options; raises InputError."""
    if given.resume is not None:
        return _resume(given)
    config = options.config_of(given)
    settings = options.settings_of(given, config)
    goal, method = options.goal_of(given), options.allocation_of(given)
    experiment = checks.experiment_for(given, settings)
    bench = checks.workbench_for(given, settings)
    from core.jobs import recorded_jobs
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.preflight import check_goal
    from core.jobs.report import finetuned_record

    explicit = options.explicit_plan(given, config, settings.model, bench.layer_names)
    chosen = explicit or preset_plan(
        default_preset(settings.model), settings.model, bench.layer_names
    )
    locked = options.locks_of(given, bench.layer_names)
    if goal:
        check_goal(bench, goal, locked)

    def work(stop: StopFlag) -> Stream[Recorded]:
        base = yield from open_dense_net(bench, stop)
        plan = chosen
        if goal:
            plan = yield from plan_for(bench, base, goal, method, locked, experiment, stop)
        result = yield from recorded_jobs.finetune(bench, base, plan, experiment, stop)
        return finetuned_record(bench, base, plan, result), result.run

    return Command(work, lambda it, console: _show(it, experiment.folder, console), given.json)


def _resume(given: Namespace) -> Command[Recorded]:
    found = open_run(given.resume)
    experiment = Experiment(found.folder.parent)
    if found.finished:
        checks.check_output(given.json)
        return _finished(found, given.json)
    settings = options.settings_for(given, found)
    bench = checks.workbench_for(given, settings)
    from core.jobs import recorded_jobs
    from core.jobs.dense_net import open_dense_net
    from core.jobs.restore import plan_of, settings_of

    trains = found.record.kind == TRAIN
    settings_of(found, settings)
    if not trains:
        plan_of(found, bench.layer_names)

    def work(stop: StopFlag) -> Stream[Recorded]:
        dense = None if trains else (yield from open_dense_net(bench, stop))
        yield from recorded_jobs.resume(bench, dense, found, experiment, stop)
        return experiment.find(found.id).record, found.id

    return Command(work, lambda it, console: _show(it, experiment.folder, console), given.json)


def _finished(found: Run, json: str | None) -> Command[Recorded]:
    """Say that a run is done, which is no failure."""
    folder = found.folder.parent
    stopped = ", stopped early" if found.status == STOPPED else ""

    def work(_: StopFlag) -> Stream[Recorded]:
        yield Notice(f"run {found.id} of {folder} is done{stopped}: there is nothing to resume")
        return found.record, found.id

    command = Command(work, lambda it, _: _report(it, folder), json)
    return replace(command, interruptible=False)


def _report(recorded: Recorded, experiment: Path) -> Mapping[str, Any]:
    record, run_id = recorded
    return {**report_json(record), "experiment": str(experiment), "run": run_id}


def _show(recorded: Recorded, experiment: Path, console: Console) -> Mapping[str, Any]:
    """Print a finished run, and return its report."""
    record, run_id = recorded
    if record.kind == TRAIN and run_id is not None:
        print_trained(record, experiment / run_id / WEIGHTS, console)
    else:
        print_run(record, console)
        if run_id is not None:
            console.print(f"recorded as {experiment}:{run_id}", markup=False)
    return _report(recorded, experiment)


def print_run(record: RunRecord, console: Console) -> None:
    """Print the layers, sizes and accuracies of a finished fine-tuning."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("layer")
    for name in ("weights", "sparsity %", "kept", "threshold"):
        table.add_column(name, justify="right")
    for layer in record.layers:
        sparsity = None if layer.sparsity is None else 100 * layer.sparsity
        table.add_row(
            clean(layer.name),
            _shown(count, layer.elements),
            _shown(percent, sparsity),
            _shown(count, layer.kept),
            _shown("{:.5f}".format, layer.threshold),
        )
    console.print(table)
    parameters, nonzero = record.parameters or 0, record.nonzero or 0
    dense, pruned = (BYTES_PER_VALUE * n / MIB for n in (parameters, nonzero))
    lighter = f"{record.ratio:.2f}x lighter" if record.ratio else "nothing is left"
    console.print(
        f"{count(nonzero)} of {count(parameters)} parameters, "
        f"{dense:.3f} -> {pruned:.3f} MiB ({COUNTED}): {lighter}"
    )
    dead, left = sum((record.dead or {}).values()), record.nonzero_without_dead
    if dead and left is not None and record.parameters_without_dead is not None:
        console.print(without_dead(dead, left, record.parameters_without_dead))
    stages = (f"{stage} {percent(it.test)}" for stage, it in record.accuracy.measured.items())
    labels = " (reference protocol: chosen on test)" * (record.protocol == "reference")
    console.print(f"test accuracy %: {', '.join(stages)}{labels}")
    ended = early(record)
    if record.best is None:
        ended += ": pruned the rest of the way, not trained at the full plan"
    console.print(f"revived weights: {record.revived}; seed {record.seed}{ended}")


def _shown(text: Callable[[T], str], value: T | None) -> str:
    return "–" if value is None else text(value)
