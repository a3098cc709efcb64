"""The command `run`: prune, reconstruct, fine-tune; or resume a run that was interrupted."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console

from core.criteria.names import MAGNITUDE
from core.events import StopFlag, Stream, portions, within
from core.experiments.experiment import Experiment, open_run
from core.experiments.run_record import PRUNE, TRAIN, RunRecord
from core.experiments.runs import STOPPED, Run
from core.nets.footprint import BYTES_PER_VALUE, MIB, SIZE_NOTE
from core.pruning.goals import DEFAULT_ALLOCATION
from core.pruning.presets import default_preset, preset_plan
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.commands.train import RunOutcome, print_trained
from tui.cli.number_table import NumberTable
from tui.text.format import count, score, without_dead

_FEW = 5
"""Layers that are named rather than counted."""

OPENING_COST = 0.03
"""The share of a fine-tuning that it takes to open the net, about."""


def prepare(args: Namespace) -> Command[Any]:
    """Check the options; raises InputError."""
    if args.resume is not None:
        return _resume(args)
    config = read_options.config_of(args)
    settings = read_options.settings_of(args, config)
    goal, method = read_options.goal_of(args), args.allocate or DEFAULT_ALLOCATION
    experiment = checks.experiment_for(args, settings)
    trains = settings.changes.epochs != 0
    workbench = checks.workbench_for(args, settings, trains=trains)
    from core.jobs import recorded_jobs
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.preflight import check_goal
    from core.jobs.report import finetuned_record, pruned_record

    explicit = read_options.explicit_plan(args, config, settings.model, workbench.layer_names)
    default = default_preset(settings.model)
    plan = explicit or preset_plan(default, settings.model, workbench.layer_names)
    locked = read_options.locks_of(args, workbench.layer_names)
    if goal:
        check_goal(workbench, goal, locked)
    asked, by = (str(goal), method) if goal else (None, None)

    def work(stop: StopFlag) -> Stream[RunOutcome]:
        yield from workbench.prepared_to_train(stop) if trains else workbench.prepared(stop)
        opening, tuning = portions(OPENING_COST, 1 - OPENING_COST)
        base = yield from within(opening, open_dense_net(workbench, stop))
        target = plan
        if goal:
            target = yield from plan_for(workbench, base, goal, method, locked, experiment, stop)
        if trains:
            stream = recorded_jobs.finetune(
                workbench, base, target, experiment, stop, goal=asked, allocate=by
            )
            tuned = yield from within(tuning, stream)
            record, run = finetuned_record(workbench, base, target, tuned), tuned.run
        else:
            pruning = recorded_jobs.prune(
                workbench, base, target, experiment, stop, goal=asked, allocate=by
            )
            pruned = yield from within(tuning, pruning)
            record, run = pruned_record(workbench, base, target, pruned), pruned.run
        return RunOutcome(replace(record, goal=asked, allocate=by), experiment.folder, run)

    return Command(work, _show, args.json)


def _resume(args: Namespace) -> Command[RunOutcome]:
    run = open_run(args.resume)
    experiment = Experiment(run.folder.parent)
    if run.finished:
        checks.check_output(args.json)
        return _nothing_to_resume(run, args.json)
    settings = read_options.settings_for(args, run)
    workbench = checks.workbench_for(args, settings, trains=True)
    from core.jobs.dense_net import open_dense_net
    from core.jobs.restore import plan_of, settings_of
    from core.jobs.resume import resume

    is_dense = run.record.kind == TRAIN
    settings_of(run, settings)  # checks the record
    if not is_dense:
        plan_of(run, workbench.layer_names)

    def work(stop: StopFlag) -> Stream[RunOutcome]:
        dense = None if is_dense else (yield from open_dense_net(workbench, stop))
        yield from resume(workbench, dense, run, experiment, stop)
        return RunOutcome(experiment.find(run.id).record, experiment.folder, run.id)

    def show(result: RunOutcome, console: Console) -> Mapping[str, Any]:
        if is_dense:
            print_trained(result.record, run.weights_path, console)
            return result.report()
        return _show(result, console)

    return Command(work, show, args.json)


def _nothing_to_resume(run: Run, json_path: str | None) -> Command[RunOutcome]:
    """Report a run that is done."""
    result = RunOutcome(run.record, run.folder.parent, run.id)
    early = ", stopped early" if run.status == STOPPED else ""

    def work(_stop: StopFlag) -> Stream[RunOutcome]:
        yield from ()
        return result

    def show(result: RunOutcome, console: Console) -> Mapping[str, Any]:
        text = f"run {run.id} of {result.experiment} is done{early}: there is nothing to resume"
        console.print(text)
        return result.report()

    return Command(work, show, json_path, runs_job=False)


def _show(result: RunOutcome, console: Console) -> Mapping[str, Any]:
    print_run(result.record, console)
    if result.run is not None:
        console.print(f"recorded as {result.experiment}:{result.run}")
    return result.report()


def print_run(record: RunRecord, console: Console) -> None:
    """Print the layers, size and accuracies of a pruning or fine-tuning."""
    by = "" if record.criterion == MAGNITUDE else f" ({record.criterion})"
    table = NumberTable("layer", "weights", "sparsity %", "kept", f"threshold{by}")
    for layer in record.layers:
        table.add_row(
            layer.name,
            _text(count, layer.elements),
            _text("{:.2%}".format, layer.sparsity).removesuffix("%"),
            _text(count, layer.kept),
            _text("{:.5g}".format if by else "{:.5f}".format, layer.threshold),
        )
    table.print_to(console)
    parameters, nonzero = record.parameters or 0, record.nonzero or 0
    dense, pruned = (BYTES_PER_VALUE * n / MIB for n in (parameters, nonzero))
    smaller = f"{record.ratio:.2f}x smaller" if record.ratio else "no weights are left"
    console.print(
        f"{count(nonzero)} of {count(parameters)} parameters, "
        f"{dense:.3f} -> {pruned:.3f} MiB ({SIZE_NOTE}): {smaller}"
    )
    dead, remaining = sum((record.dead or {}).values()), record.nonzero_without_dead
    if dead and remaining is not None and record.parameters_without_dead is not None:
        console.print(without_dead(dead, remaining, record.parameters_without_dead))
    accuracies = record.measured.items()
    stages = ", ".join(f"{stage} {score(accuracy)}" for stage, accuracy in accuracies)
    protocol = " (reference protocol: chosen on test)" if record.protocol == "reference" else ""
    console.print(f"test accuracy %: {stages}{protocol}")
    for text in filter(None, (recalibrated(record), reconstructed(record))):
        console.print(text)
    early = ", stopped early" if record.stopped else ""
    if record.best is None and record.kind != PRUNE:
        early += ": pruned the rest of the way in one shot, without training at the full plan"
    console.print(f"revived weights: {record.revived}; seed {record.seed}{early}")


def recalibrated(record: RunRecord) -> str:
    """How a pruned net came by its running statistics; empty if it has none."""
    if record.recalibrate is None:
        return ""
    if (sample := record.recalibration) is None:
        return "pruned: measured with the running statistics from before (not recalibrated)"
    images = _text(count, sample.images)
    return f"pruned: measured with running statistics of {images} training images (recalibrated)"


def reconstructed(record: RunRecord) -> str:
    """What a reconstructed net was made with; empty if there is none."""
    made = record.reconstruction
    if made is None:
        return ""
    left = [layer.name for layer in made.layers if layer.reason]
    names = ", ".join(left) if len(left) <= _FEW else f"{len(left)} of {len(made.layers)} layers"
    by_magnitude = f"; by magnitude: {names}" if left else ""
    images = f"{_text(count, made.images)} training images, seed {made.seed}"
    return f"reconstructed: layer by layer on {images}, without labels{by_magnitude}"


def _text(show: Callable[[Any], str], value: Any) -> str:
    return "–" if value is None else show(value)
