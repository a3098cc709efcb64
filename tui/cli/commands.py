"""What each subcommand does; nothing heavy is imported before its options are checked."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.experiments.experiment import Experiment, open_run
from core.experiments.run_record import TRAIN, RunRecord, report_json
from core.formats.export_formats import COMPACT, ONNX, PICKLES, SAFETENSORS
from core.nets.zoo import short_name
from core.pruning.curves import SPARSITIES, SPLITS, UNIFORM_SPARSITIES, WITHIN
from core.pruning.plans import Plan, parse_sparsities, uniform_plan
from core.pruning.presets import default_preset, preset_plan
from core.settings.settings import Settings
from tui.cli import options

if TYPE_CHECKING:
    from core.events import StopFlag, Stream
    from core.jobs.search import Found
    from core.jobs.workbench import Net, Workbench


LEAVE_SECONDS = 0.5
"""How long leaving in the middle of a job lets it clean up before the process ends."""

NO_PLAN = (
    "sparsity", "uniform", "ratio", "goal", "allocate", "lock", "config", "json", "resume",
)  # fmt: skip


def app(given: Namespace) -> int:
    """Open the terminal program, or run its default job where there is no terminal."""
    settings = options.settings_of(given)
    if given.theme is not None:
        _check_theme(given.theme)
    if _has_terminal():
        return _open_app(settings, options.experiment_of(given, settings), given.theme)
    preset = default_preset(settings.model)
    print(
        "featherweight: no terminal here, so this runs: "
        f"featherweight run --preset {preset} --recipe {settings.recipe}",
        file=sys.stderr,
    )
    return run(Namespace(**{**vars(given), **dict.fromkeys(NO_PLAN), "preset": preset}))


def _has_terminal() -> bool:
    """Whether the program can draw: both ends are a terminal, and one that moves its cursor."""
    drawable = os.environ.get("TERM") != "dumb"
    return drawable and sys.stdin.isatty() and sys.stdout.isatty()


def _check_theme(name: str) -> None:
    from textual.theme import BUILTIN_THEMES

    if name not in BUILTIN_THEMES:
        known = ", ".join(sorted(BUILTIN_THEMES))
        raise InputError(f"unknown theme '{name}': expected one of {known}")


def _open_app(settings: Settings, experiment: Experiment, theme: str | None) -> int:
    from core.data import check_name
    from tui.app import FeatherweightApp
    from tui.jobs.backend import CoreBackend

    check_name(settings.dataset)
    program = FeatherweightApp(CoreBackend(settings, experiment))
    if theme is not None:
        program.theme = theme
    program.run()
    status = program.return_code or 0
    if program.threads:
        for thread in program.threads:
            thread.abandon(LEAVE_SECONDS)
        sys.stdout.flush()
        os._exit(status)
    return status


def run(given: Namespace) -> int:
    """Prune and fine-tune, or resume a run that was interrupted."""
    if given.resume is not None:
        return _resume(given)
    config = options.config_of(given)
    settings = options.settings_of(given, config)
    goal, method = options.goal_of(given), options.allocation_of(given)
    experiment = options.experiment_of(given, settings)
    from tui.cli import headless

    headless.check_writable(given.json)
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.workbench import Workbench

    bench = Workbench(settings)
    explicit = options.explicit_plan(given, config, settings.model, bench.layer_names)
    preset = preset_plan(default_preset(settings.model), settings.model, bench.layer_names)
    locked = options.locks_of(given, bench.layer_names)
    console = headless.console_for(given.json)

    def stream(stop: StopFlag) -> Stream[tuple[RunRecord, str | None]]:
        base = yield from open_dense_net(bench, stop)
        if goal is None:
            return (yield from _run(bench, base, explicit or preset, experiment, stop))
        plan = yield from plan_for(bench, base, goal, method, locked, experiment, stop)
        return (yield from _run(bench, base, plan, experiment, stop))

    with headless.stop_on_interrupt(console) as stop:
        record, run_id = headless.drive(stream(stop), console)
    return headless.report_run(record, experiment.folder, run_id, given.json, console)


def _resume(given: Namespace) -> int:
    from tui.cli import headless

    found = open_run(given.resume)
    experiment = Experiment(found.folder.parent)
    headless.check_writable(given.json)
    if found.finished:
        return headless.report_nothing_to_resume(found, given.json)
    settings = options.settings_for(given, found)
    from core.jobs import recorded_jobs
    from core.jobs.dense_net import open_dense_net
    from core.jobs.workbench import Workbench

    bench = Workbench(settings)
    console = headless.console_for(given.json)

    def stream(stop: StopFlag) -> Stream[None]:
        is_dense = found.record.kind == TRAIN
        dense = None if is_dense else (yield from open_dense_net(bench, stop))
        yield from recorded_jobs.resume(bench, dense, found, experiment, stop)

    with headless.stop_on_interrupt(console) as stop:
        headless.drive(stream(stop), console)
    record = experiment.find(found.id).record
    return headless.report_run(record, experiment.folder, found.id, given.json, console)


def _run(
    bench: Workbench, base: Net, plan: Plan, experiment: Experiment, stop: StopFlag
) -> Stream[tuple[RunRecord, str | None]]:
    from core.jobs import recorded_jobs
    from core.jobs.report import finetuned_record

    result = yield from recorded_jobs.finetune(bench, base, plan, experiment, stop)
    return finetuned_record(bench, base, plan, result), result.run


def search(given: Namespace) -> int:
    """Search for the lightest net within a drop in accuracy."""
    settings = options.settings_of(given, options.config_of(given))
    method = options.allocation_of(given)
    experiment = options.experiment_of(given, settings)
    if not 0 <= given.max_drop <= 100:
        raise InputError(f"--max-drop {given.max_drop}: expected points of accuracy from 0 to 100")
    from tui.cli import headless

    headless.check_writable(given.json)
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import search_for
    from core.jobs.report import search_report
    from core.jobs.workbench import Workbench
    from tui.cli.search_table import print_search

    bench = Workbench(settings)
    locked = options.locks_of(given, bench.layer_names)
    console = headless.console_for(given.json)

    def stream(stop: StopFlag) -> Stream[Found]:
        base = yield from open_dense_net(bench, stop)
        return (
            yield from search_for(
                bench,
                base,
                max_drop=given.max_drop,
                method=method,
                locked=locked,
                experiment=experiment,
                trials=given.trials,
                start=given.start,
                stop=stop,
            )
        )

    with headless.stop_on_interrupt(console) as stop:
        found = headless.drive(stream(stop), console)
    print_search(found, console)
    report = search_report(bench, found)
    headless.write_json({**report, "experiment": str(experiment.folder)}, given.json)
    return 130 if found.stopped else 0


def scan(given: Namespace) -> int:
    """Scan how sensitive the layers are."""
    settings = options.settings_of(given)
    _check_split(given.split)
    asked = None if given.sparsities is None else parse_sparsities(given.sparsities)
    within = WITHIN if given.quick and given.within is None else given.within
    if within is not None and not within > 0:
        raise InputError(f"--within {within}: expected points of accuracy above 0")
    experiment = options.experiment_of(given, settings)
    from tui.cli import headless

    headless.check_writable(given.json)
    from core.jobs.report import scan_report
    from core.jobs.workbench import Workbench
    from tui.cli.scan_table import print_scan, scan_stream

    bench = Workbench(settings)
    console = headless.console_for(given.json)
    uniform = (asked or UNIFORM_SPARSITIES) if given.uniform else ()
    sparsities = asked or SPARSITIES
    with headless.stop_on_interrupt(console) as stop:
        result = headless.drive(
            scan_stream(bench, experiment, given.split, sparsities, uniform, within, stop), console
        )
    print_scan(result, settings.protocol, console)
    headless.write_json(scan_report(bench, result), given.json)
    return 130 if result.stopped else 0


def _check_split(name: str) -> None:
    if name not in SPLITS:
        raise InputError(f"unknown split '{name}': expected one of {', '.join(SPLITS)}")


def table(given: Namespace) -> int:
    """Lay out what a net costs, layer by layer."""
    _check_split(given.split)
    found = None if given.run is None else open_run(given.run)
    config = options.config_of(given)
    settings = (
        options.settings_of(given, config) if not found else options.settings_of_net(given, found)
    )
    goal, method = options.goal_of(given), options.allocation_of(given)
    experiment = options.experiment_of(given, settings)
    from tui.cli import headless

    headless.check_writable(given.json)
    from core.formats.weights_files import load_weights
    from core.jobs import measurement
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.workbench import Workbench
    from core.measure.costs import CostTable, table_report
    from core.pruning.masks import Masks
    from tui.cli.cost_table import print_table

    bench = Workbench(settings)
    plan = options.explicit_plan(given, config, settings.model, bench.layer_names)
    if found and (plan or goal):
        raise InputError(f"run {found.id} has its own sparsities: give RUN or sparsities, not both")
    locked = options.locks_of(given, bench.layer_names)
    console = headless.console_for(given.json)

    def stream(stop: StopFlag) -> Stream[CostTable]:
        if found:
            yield from bench.splits(stop)
            weights = load_weights(found.weights_path, bench.models.vehicle())
            return (yield from measurement.table(bench, weights, given.split, stop))
        base = yield from open_dense_net(bench, stop)
        chosen = plan or uniform_plan(0.0, bench.layer_names)
        if goal:
            chosen = yield from plan_for(bench, base, goal, method, locked, experiment, stop)
        pruned = Masks.of(base.weights, bench.layers, chosen).apply(base.weights)
        return (yield from measurement.table(bench, pruned, given.split, stop))

    with headless.stop_on_interrupt(console) as stop:
        result = headless.drive(stream(stop), console)
    print_table(result, given.split, console)
    headless.write_json(table_report(settings.model, result), given.json)
    return 0


def _settings_of_file(given: Namespace) -> Settings:
    """The options, for the net in a file of weights."""
    options.check_no_weights(given, given.net)
    if Path(given.net).suffix != COMPACT:
        return options.settings_of(given)
    from core.jobs.export import inspected
    from tui.cli.file_commands import settings_of_file

    settings = settings_of_file(given, inspected(Path(given.net)).file)
    if settings is None:
        raise InputError(f"{given.net} holds a net of one's own: say --model path/to/net.py:Net")
    return settings


def bench(given: Namespace) -> int:
    """Time a net in every engine that is there."""
    is_file = os.path.isfile(given.net) or Path(given.net).suffix in (
        COMPACT,
        SAFETENSORS,
        *PICKLES,
    )
    if Path(given.net).suffix == ONNX:
        raise InputError(f"{given.net}: expected a run, or weights in .fw, .safetensors or .pt")
    if is_file and not os.path.isfile(given.net):
        raise InputError(f"there is no file {given.net}: expected weights, or a run")
    found = None if is_file else open_run(given.net)
    settings = options.settings_of_net(given, found) if found else _settings_of_file(given)
    if "threads" not in given:  # a run's were for training it
        settings = replace(settings, threads=None)
    if not given.seconds > 0:
        raise InputError(f"--seconds {given.seconds:g}: expected a number above 0")
    from tui.cli import headless

    headless.check_writable(given.json)
    from core.formats.weights_files import load_weights
    from core.inference.timings import Bench, bench_report
    from core.jobs import measurement
    from core.jobs.workbench import Workbench
    from tui.cli.bench_table import print_bench

    workbench = Workbench(settings)
    console = headless.console_for(given.json)
    path = found.weights_path if found else Path(given.net)

    def stream(stop: StopFlag) -> Stream[Bench]:
        yield from workbench.splits(stop)
        weights = load_weights(path, workbench.models.vehicle())
        return (yield from measurement.time(workbench, weights, given.seconds, stop))

    with headless.stop_on_interrupt(console) as stop:
        result = headless.drive(stream(stop), console)
    print_bench(result, console)
    headless.write_json(bench_report(settings.model, settings.dataset, result), given.json)
    return 130 if result.stopped else 0


def train(given: Namespace) -> int:
    """Train a dense net and write its weights."""
    if "weights" in given:
        raise InputError(f"train begins with fresh weights: leave --weights {given.weights} out")
    settings = options.settings_of(given)
    experiment = options.experiment_of(given, settings)
    from tui.cli import headless

    target = given.to or Path(f"{short_name(settings.model)}.safetensors")
    if target.suffix in PICKLES:
        raise InputError(
            f"weights are written as safetensors: give a name such as {target.stem}.safetensors"
        )
    if given.to is None and os.path.exists(target):
        raise InputError(f"{target} is there already: say with --to FILE where the weights go")
    headless.check_writable(given.json)
    headless.check_writable(str(target))
    from core.formats.weights_files import save_dense
    from core.jobs import recorded_jobs
    from core.jobs.report import trained_record
    from core.jobs.workbench import Workbench
    from core.nets.weights import DenseWeights

    bench = Workbench(settings)
    console = headless.console_for(given.json)
    with headless.stop_on_interrupt(console) as stop:
        result = headless.drive(recorded_jobs.train(bench, experiment, stop), console)
    record = trained_record(bench, result)
    report = report_json(record)
    notes = {name: str(report[name]) for name in ("model", "dataset", "protocol", "recipe", "seed")}
    save_dense(target, DenseWeights(result.weights, result.early), notes)
    headless.print_trained(record, target, console)
    place = {"file": str(target), "experiment": str(experiment.folder), "run": result.run}
    headless.write_json({**report, **place}, given.json)
    return 130 if result.stopped else 0


def fetch(given: Namespace) -> int:
    """Fetch a data set into the cache."""
    from core.data import fetch as fetch_data
    from tui.cli.headless import console_for, drive, stop_on_interrupt

    console = console_for(None)
    with stop_on_interrupt(console) as stop:
        folder = drive(fetch_data(given.name, getattr(given, "data_dir", None), stop), console)
    console.print(f"{given.name} is in {folder}", markup=False)
    return 0
