"""The command `run`: prune and fine-tune, or resume a run that was interrupted."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.table import Table

from core.experiments.experiment import Experiment, open_run
from core.experiments.run_record import TRAIN, RunRecord, report_json
from core.experiments.runs import STOPPED, Run
from core.nets.footprint import BYTES_PER_VALUE, COUNTED, MIB
from core.pruning.presets import default_preset, preset_plan
from tui.cli import checks, options
from tui.cli.command import Command
from tui.cli.commands.train import print_trained, stopped_early
from tui.text.format import count, percent, without_dead
from tui.text.lines import clean

if TYPE_CHECKING:
    from core.events import StopFlag, Stream

T = TypeVar("T")


@dataclass(frozen=True)
class Recorded:
    """A run's record and where it is; `run` is None if it could not be recorded."""

    record: RunRecord
    experiment: Path
    run: str | None

    def report(self) -> dict[str, Any]:
        """The JSON of `featherweight run --json`."""
        place = {"experiment": str(self.experiment), "run": self.run}
        return {**report_json(self.record), **place}


def prepare(given: Namespace) -> Command[Any]:
    """Check the options; raises InputError."""
    if given.resume is not None:
        return _resume(given)
    config = options.config_of(given)
    settings = options.settings_of(given, config)
    goal, method = options.goal_of(given), options.allocation_of(given)
    experiment = checks.experiment_for(given, settings)
    workbench = checks.workbench_for(given, settings)
    from core.jobs import recorded_jobs
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.preflight import check_goal
    from core.jobs.report import finetuned_record

    explicit = options.explicit_plan(given, config, settings.model, workbench.layer_names)
    chosen = explicit or preset_plan(
        default_preset(settings.model), settings.model, workbench.layer_names
    )
    locked = options.locks_of(given, workbench.layer_names)
    if goal:
        check_goal(workbench, goal, locked)

    def work(stop: StopFlag) -> Stream[Recorded]:
        base = yield from open_dense_net(workbench, stop)
        plan = chosen
        if goal:
            plan = yield from plan_for(workbench, base, goal, method, locked, experiment, stop)
        result = yield from recorded_jobs.finetune(workbench, base, plan, experiment, stop)
        record = finetuned_record(workbench, base, plan, result)
        return Recorded(record, experiment.folder, result.run)

    return Command(work, _show, given.json)


def _resume(given: Namespace) -> Command[Recorded]:
    run = open_run(given.resume)
    experiment = Experiment(run.folder.parent)
    if run.finished:
        checks.check_output(given.json)
        return _nothing_to_resume(run, given.json)
    settings = options.settings_for(given, run)
    workbench = checks.workbench_for(given, settings)
    from core.jobs import recorded_jobs
    from core.jobs.dense_net import open_dense_net
    from core.jobs.restore import plan_of, settings_of

    trains = run.record.kind == TRAIN
    settings_of(run, settings)
    if not trains:
        plan_of(run, workbench.layer_names)

    def work(stop: StopFlag) -> Stream[Recorded]:
        dense = None if trains else (yield from open_dense_net(workbench, stop))
        yield from recorded_jobs.resume(workbench, dense, run, experiment, stop)
        return Recorded(experiment.find(run.id).record, experiment.folder, run.id)

    def show(result: Recorded, console: Console) -> Mapping[str, Any]:
        if trains:
            print_trained(result.record, run.weights_path, console)
            return result.report()
        return _show(result, console)

    return Command(work, show, given.json)


def _nothing_to_resume(run: Run, json_path: str | None) -> Command[Recorded]:
    """A command that says that a run is done and reports it."""
    result = Recorded(run.record, run.folder.parent, run.id)
    early = ", stopped early" if run.status == STOPPED else ""

    def work(_stop: StopFlag) -> Stream[Recorded]:
        yield from ()
        return result

    def show(result: Recorded, console: Console) -> Mapping[str, Any]:
        text = f"run {run.id} of {result.experiment} is done{early}: there is nothing to resume"
        console.print(text, markup=False)
        return result.report()

    return Command(work, show, json_path, status=lambda _: 0)


def _show(result: Recorded, console: Console) -> Mapping[str, Any]:
    print_run(result.record, console)
    if result.run is not None:
        console.print(f"recorded as {result.experiment}:{result.run}", markup=False)
    return result.report()


def print_run(record: RunRecord, console: Console) -> None:
    """Print the layers, sizes and accuracies of a fine-tuning."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("layer")
    for name in ("weights", "sparsity %", "kept", "threshold"):
        table.add_column(name, justify="right")
    for layer in record.layers:
        sparsity = None if layer.sparsity is None else 100 * layer.sparsity
        table.add_row(
            clean(layer.name),
            _text(count, layer.elements),
            _text(percent, sparsity),
            _text(count, layer.kept),
            _text("{:.5f}".format, layer.threshold),
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
    early = stopped_early(record)
    if record.best is None:
        early += ": the rest was pruned in one shot, without training at the full plan"
    console.print(f"revived weights: {record.revived}; seed {record.seed}{early}")


def _text(shown: Callable[[T], str], value: T | None) -> str:
    return "–" if value is None else shown(value)
