"""The table of a comparison: how fast each engine is, and what the net costs."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from core.inference.timings import SPARSE, Amounts, Bench, Fastest, Row
from tui.text.format import count, gain, milliseconds, plural


def print_bench(bench: Bench, console: Console) -> None:
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
        console.print(f"{engine} is left out: {why}", markup=False)
    for fastest in bench.fastest:
        console.print(f"{SPARSE}, {case(fastest.batch, fastest.threads)}: {_what(fastest)}")
    console.print(_line("multiplications an image", bench.macs))
    console.print(_line("parameters", bench.parameters))
    versions = ", ".join(f"{name} {version}" for name, version in bench.versions.items())
    console.print(f"fp32, median of runs by turns, and the tenths; {versions}", markup=False)


def case(batch: int, threads: int) -> str:
    """Which of the comparisons it is."""
    return f"batch {batch}, {plural(threads, 'thread')}"


def _cells(bench: Bench, row: Row) -> tuple[str, ...]:
    latency, faster = row.latency, bench.gain(row)
    times = (milliseconds(it) for it in (latency.median, latency.low, latency.high))
    best = bench.best_dense(row.batch, row.threads)
    said = "best" if row is best else gain(faster) if faster else ""
    return (row.engine, count(row.batch), count(row.threads), *times, said)


def _what(fastest: Fastest) -> str:
    """What runs, in words."""
    net = "without dead units" if fastest.compacted else "as it is"
    if not fastest.layers:
        return f"torch, the net {net}: no kernel is faster"
    layers = f"{len(fastest.layers)} of {plural(len(fastest.of), 'layer')} by nonzeros"
    return f"{layers}, {plural(fastest.block, 'image')} at a time, {net}"


def _line(what: str, amounts: Amounts) -> str:
    smaller = amounts.compacted
    compacted = "" if smaller is None else f", {count(smaller)} in a smaller dense net"
    return f"{what}: {count(amounts.dense)} dense, {count(amounts.pruned)} nonzero{compacted}"
