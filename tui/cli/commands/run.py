"""The command `run`: prune and fine-tune, or go on with a run that was interrupted."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from core.errors import InputError
from core.experiments.experiment import Experiment, open_run
from core.nets.footprint import BYTES_PER_VALUE, COUNTED, MIB
from core.pruning.presets import default_preset, preset_plan
from tui.cli import checks, options
from tui.cli.command import Command
from tui.cli.commands.train import print_trained
from tui.text.format import count, percent, without_dead

if TYPE_CHECKING:
    from core.events import StopFlag, Stream

Report = Mapping[str, Any]


def prepare(given: Namespace) -> Command[Any]:
    """Check the options; raises InputError."""
    if given.resume is not None:
        return _resume(given)
    config = options.config_of(given)
    settings = options.settings_of(given, config)
    goal, method = options.goal_of(given), options.allocation_of(given)
    experiment = checks.experiment_for(given, settings)
    bench = checks.workbench_for(given, settings)
    from core.jobs import recording
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.preflight import check_goal
    from core.jobs.report import run_report

    explicit = options.explicit_plan(given, config, settings.model, bench.layer_names)
    chosen = explicit or preset_plan(
        default_preset(settings.model), settings.model, bench.layer_names
    )
    locked = options.locks_of(given, bench.layer_names)
    if goal:
        check_goal(bench, goal, locked)

    def work(stop: StopFlag) -> Stream[Report]:
        base = yield from open_dense_net(bench, stop)
        plan = chosen
        if goal:
            plan = yield from plan_for(bench, base, goal, method, locked, experiment, stop)
        result = yield from recording.finetune(bench, base, plan, experiment, stop)
        report = run_report(bench, base, plan, result)
        return {**report, "experiment": str(experiment.folder), "run": result.run}

    return Command(work, print_run, given.json)


def _resume(given: Namespace) -> Command[Report]:
    found = open_run(given.resume)
    experiment = Experiment(found.folder.parent)
    settings = options.settings_for(given, found)
    if found.finished:
        raise InputError(f"run {found.id} is {found.status}: there is nothing to go on with")
    bench = checks.workbench_for(given, settings)
    from core.jobs import recording
    from core.jobs.dense_net import open_dense_net
    from core.jobs.restore import plan_of, settings_of

    trains = found.facts.get("kind") == "train"
    settings_of(found, settings)
    if not trains:
        plan_of(found, bench.layer_names)

    def work(stop: StopFlag) -> Stream[Report]:
        dense = None if trains else (yield from open_dense_net(bench, stop))
        yield from recording.resume(bench, dense, found, experiment, stop)
        place = {"experiment": str(experiment.folder), "run": found.id}
        return {**experiment.find(found.id).facts, **place}

    def show(report: Report, console: Console) -> Report:
        if trains:
            return print_trained(report, found.weights_path, console)
        return print_run(report, console)

    return Command(work, show, given.json)


def print_run(report: Report, console: Console) -> Report:
    """Print the layers, sizes and accuracies of a run; returns its report."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("layer")
    for name in ("weights", "sparsity %", "kept", "threshold"):
        table.add_column(name, justify="right")
    for layer in report["layers"]:
        table.add_row(
            layer["name"],
            count(layer["elements"]),
            percent(100 * layer["sparsity"]),
            count(layer["kept"]),
            f"{layer['threshold']:.5f}",
        )
    console.print(table)
    parameters, nonzero = report["parameters"], report["nonzero"]
    dense, pruned = (BYTES_PER_VALUE * n / MIB for n in (parameters, nonzero))
    lighter = f"{report['ratio']:.2f}x lighter" if report["ratio"] else "nothing is left"
    console.print(
        f"{count(nonzero)} of {count(parameters)} parameters, "
        f"{dense:.3f} -> {pruned:.3f} MiB ({COUNTED}): {lighter}"
    )
    if dead := sum((report.get("dead") or {}).values()):
        left = report["nonzero_without_dead"], report["parameters_without_dead"]
        console.print(without_dead(dead, *left))
    accuracies = (
        f"{stage} {percent(accuracy['test'])}" for stage, accuracy in report["accuracy"].items()
    )
    labels = " (reference protocol: chosen on test)" * (report["protocol"] == "reference")
    console.print(f"test accuracy %: {', '.join(accuracies)}{labels}")
    early = ", stopped early" * report["stopped"]
    if report["best"] is None:
        early += ": pruned the rest of the way, not trained at the full plan"
    console.print(f"revived weights: {report['revived']}; seed {report['seed']}{early}")
    if report.get("run"):
        console.print(f"recorded as {report['experiment']}:{report['run']}", markup=False)
    return report
