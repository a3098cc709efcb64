"""The command `bench`: how fast a net runs here, in every installed engine."""

import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import InputError
from core.events import Notice, StopFlag, Stream
from core.experiments.experiment import open_run
from core.experiments.runs import Run
from core.formats.export_formats import PICKLES, SUFFIXES
from core.formats.recognition import COMPACT, check_weights_file
from core.inference.benchmark_result import (
    SPARSE,
    Amounts,
    Benchmark,
    Row,
    SparseChoice,
    benchmark_report,
)
from core.settings.settings import Settings
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.commands.inspect import missing_options, settings_of_file
from tui.cli.number_table import NumberTable
from tui.text.format import count, gain, milliseconds, plural


def prepare(args: Namespace) -> Command[Benchmark]:
    """Check the options; raises InputError."""
    checks.check_output(args.json)
    source, settings = _net(args)
    if "threads" not in args:  # those of a run were for training
        settings = replace(settings, threads=None)
    workbench = checks.workbench_for(args, settings, source)
    from core.formats.weights_files import load_dense
    from core.jobs import measurement

    def work(stop: StopFlag) -> Stream[Benchmark]:
        yield from workbench.splits(stop)
        model = workbench.models.uninitialized()
        dense = (
            source.dense_weights(model) if isinstance(source, Run) else load_dense(source, model)
        )
        yield from (Notice(note, warning=True) for note in dense.notes)
        return (yield from measurement.benchmark(workbench, dense.weights, args.seconds, stop))

    def show(result: Benchmark, console: Console) -> dict[str, Any]:
        print_benchmark(result, console)
        return benchmark_report(settings.model, settings.dataset, result)

    return Command(work, show, args.json)


def _net(args: Namespace) -> tuple[Path | Run, Settings]:
    """The file or run whose weights RUN|FILE names, and the settings for its net."""
    path = Path(args.net)
    if os.path.lexists(path) and not os.path.isdir(path):
        read_options.check_no_weights(args, args.net)
        if check_weights_file(path) != COMPACT:
            return path, read_options.settings_of(args)
        from core.jobs.export import inspect_file

        file = inspect_file(path).file
        settings = settings_of_file(args, file)
        if settings is None:
            raise InputError(f"{path}: {missing_options(args, file)}")
        return path, settings
    if path.suffix in (*SUFFIXES, *PICKLES):
        raise InputError(f"no such file: {path}; expected a run or a weights file")
    run = open_run(args.net)
    return run, read_options.settings_of_net(args, run)


def print_benchmark(benchmark: Benchmark, console: Console) -> None:
    """Print the times by batch and threads, then what `sparse` ran, and what the net costs."""
    columns = ("batch", "threads", "ms", "p10", "p90", "vs. best dense")
    table = NumberTable("engine", *columns)
    for case in benchmark.cases:
        for row in benchmark.rows:
            if (row.batch, row.threads) == case:
                table.add_row(*_cells(benchmark, row))
    table.print_to(console)
    for engine, reason in benchmark.missing.items():
        console.print(f"{engine} skipped: {reason}")
    for fastest in benchmark.fastest:
        case_name = f"batch {fastest.batch}, {plural(fastest.threads, 'thread')}"
        console.print(f"{SPARSE}, {case_name}: {_method(fastest)}")
    console.print(_amounts("multiplications per image", benchmark.macs))
    console.print(_amounts("parameters", benchmark.parameters))
    versions = ", ".join(f"{name} {version}" for name, version in benchmark.versions.items())
    console.print(f"fp32; median, 10th and 90th percentiles of interleaved runs; {versions}")


def _cells(benchmark: Benchmark, row: Row) -> tuple[str, ...]:
    latency, factor = row.latency, benchmark.gain(row)
    times = map(milliseconds, (latency.median, latency.low, latency.high))
    best = row is benchmark.best_dense(row.batch, row.threads)
    against_best = "best" if best else gain(factor) if factor else ""
    return (row.engine, count(row.batch), count(row.threads), *times, against_best)


def _method(fastest: SparseChoice) -> str:
    """How the fastest configuration of `sparse` runs the net."""
    net = "without dead units" if fastest.compacted else "dead units included"
    if not fastest.layers:
        return f"torch, {net}: no kernel is faster"
    layers = f"{len(fastest.layers)} of {plural(len(fastest.of), 'layer')} in sparse kernels"
    return f"{layers}, {plural(fastest.block, 'image')} per pass, {net}"


def _amounts(name: str, amounts: Amounts) -> str:
    smaller = amounts.compacted
    compacted = "" if smaller is None else f", {count(smaller)} without dead units"
    return f"{name}: {count(amounts.dense)} dense, {count(amounts.pruned)} nonzero{compacted}"
