"""The command `bench`: how fast a net is here, in every engine."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from core.errors import InputError
from core.experiments.experiment import open_run
from core.formats.export_formats import COMPACT, ONNX, PICKLES, SAFETENSORS
from core.inference.timings import SPARSE, Amounts, Benchmark, Row, SparseChoice, benchmark_report
from core.settings.settings import Settings
from tui.cli import checks, options
from tui.cli.command import Command
from tui.text.format import count, gain, milliseconds, plural

if TYPE_CHECKING:
    from core.events import StopFlag, Stream


def prepare(given: Namespace) -> Command[Benchmark]:
    """Check the options; raises InputError."""
    checks.check_output(given.json)
    path, settings = _net(given)
    if "threads" not in given:  # a run's were for training it
        settings = replace(settings, threads=None)
    bench = checks.workbench_for(given, settings, path)
    from core.formats.weights_files import load_weights
    from core.jobs import measurement

    def work(stop: StopFlag) -> Stream[Benchmark]:
        yield from bench.splits(stop)
        weights = load_weights(path, bench.models.uninitialized())
        return (yield from measurement.benchmark(bench, weights, given.seconds, stop))

    def show(result: Benchmark, console: Console) -> dict[str, Any]:
        print_bench(result, console)
        return benchmark_report(settings.model, settings.dataset, result)

    return Command(work, show, given.json)


def _net(given: Namespace) -> tuple[Path, Settings]:
    """The file of weights that is meant by RUN|FILE, and the settings for it."""
    path = Path(given.net)
    if path.suffix == ONNX:
        raise InputError(f"{path}: expected a run, or weights in .fw, .safetensors or .pt")
    if os.path.isfile(path):
        return path, _settings_of_file(given, path)
    if path.suffix in (COMPACT, SAFETENSORS, *PICKLES):
        raise InputError(f"there is no file {path}: expected weights, or a run")
    found = open_run(given.net)
    return found.weights_path, options.settings_of_net(given, found)


def _settings_of_file(given: Namespace, path: Path) -> Settings:
    options.check_no_weights(given, given.net)
    if path.suffix != COMPACT:
        return options.settings_of(given)
    from core.jobs.export import inspect_file
    from tui.cli.commands.inspect import settings_of_file

    settings = settings_of_file(given, inspect_file(path).file)
    if settings is None:
        raise InputError(f"{path} holds a net of your own: add --model path/to/net.py:Net")
    return settings


def print_bench(bench: Benchmark, console: Console) -> None:
    """Print it, case by case; then what `sparse` is, and the amounts."""
    shown = Table(box=None, pad_edge=False, header_style="dim")
    shown.add_column("engine", no_wrap=True)
    for name in ("batch", "threads", "ms", "10 %", "90 %", "against the best dense"):
        shown.add_column(name, justify="right")
    for batch, threads in bench.cases:
        for row in (it for it in bench.rows if (it.batch, it.threads) == (batch, threads)):
            shown.add_row(*_cells(bench, row))
    console.print(shown)
    for engine, why in bench.missing.items():
        console.print(f"{engine} skipped: {why}", markup=False)
    for fastest in bench.fastest:
        console.print(f"{SPARSE}, {case(fastest.batch, fastest.threads)}: {_what(fastest)}")
    console.print(_line("multiplications per image", bench.macs))
    console.print(_line("parameters", bench.parameters))
    versions = ", ".join(f"{name} {version}" for name, version in bench.versions.items())
    console.print(
        f"fp32, median and 10th and 90th percentiles of interleaved runs; {versions}", markup=False
    )


def case(batch: int, threads: int) -> str:
    """Which of the comparisons it is."""
    return f"batch {batch}, {plural(threads, 'thread')}"


def _cells(bench: Benchmark, row: Row) -> tuple[str, ...]:
    latency, faster = row.latency, bench.gain(row)
    times = (milliseconds(it) for it in (latency.median, latency.low, latency.high))
    best = bench.best_dense(row.batch, row.threads)
    said = "best" if row is best else gain(faster) if faster else ""
    return (row.engine, count(row.batch), count(row.threads), *times, said)


def _what(fastest: SparseChoice) -> str:
    """What runs, in words."""
    net = "without dead units" if fastest.compacted else "dead units included"
    if not fastest.layers:
        return f"torch, {net}: no kernel is faster"
    layers = f"{len(fastest.layers)} of {plural(len(fastest.of), 'layer')} by nonzeros"
    return f"{layers}, {plural(fastest.block, 'image')} per pass, {net}"


def _line(what: str, amounts: Amounts) -> str:
    smaller = amounts.compacted
    compacted = "" if smaller is None else f", {count(smaller)} in a smaller dense net"
    return f"{what}: {count(amounts.dense)} dense, {count(amounts.pruned)} nonzero{compacted}"
