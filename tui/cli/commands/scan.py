"""The command `scan`: how sensitive the layers are to pruning."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from core.pruning.curves import SPARSITIES, UNIFORM_SPARSITIES, WITHIN, Point, Scan
from core.pruning.plans import parse_sparsities
from tui.cli import checks, options
from tui.cli.command import Command
from tui.text.format import count, percent

if TYPE_CHECKING:
    from core.events import StopFlag, Stream


def prepare(given: Namespace) -> Command[Scan]:
    """Check the options; raises InputError."""
    settings = options.settings_of(given)
    asked = None if given.sparsities is None else parse_sparsities(given.sparsities)
    within = WITHIN if given.quick and given.within is None else given.within
    uniform = (asked or UNIFORM_SPARSITIES) if given.uniform else ()
    experiment = checks.experiment_for(given, settings)
    workbench = checks.workbench_for(given, settings)
    from core.jobs import measurement
    from core.jobs.dense_net import dense_weights
    from core.jobs.goals import store_scan
    from core.jobs.report import scan_report
    from core.nets.digest import weights_digest

    def work(stop: StopFlag) -> Stream[Scan]:
        yield from workbench.splits(stop)
        dense = yield from dense_weights(workbench, stop)
        scan = yield from measurement.scan(
            workbench, dense.weights, given.split, asked or SPARSITIES, uniform, within, stop
        )
        yield from store_scan(workbench, weights_digest(dense.weights), scan, experiment)
        return scan

    def show(scan: Scan, console: Console) -> dict[str, Any]:
        print_scan(scan, settings.protocol, console)
        return scan_report(workbench, scan)

    return Command(work, show, given.json)


def print_scan(scan: Scan, protocol: str, console: Console) -> None:
    """Accuracy against sparsity, a column for each layer."""
    columns = _columns(scan)
    points = {name: {point.sparsity: point for point in row} for name, row in columns.items()}
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("sparsity %", justify="right")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for sparsity in sorted({point.sparsity for point in scan.points()}):
        cells = (_accuracy(rows.get(sparsity), scan.images) for rows in points.values())
        table.add_row(percent(100 * sparsity), *cells)
    console.print(table)
    label = " (reference protocol: validation is test)" * (protocol == "reference")
    console.print(_summary(scan) + label, markup=False)


def _columns(scan: Scan) -> dict[str, tuple[Point, ...]]:
    return {**scan.layers, **({"uniform": scan.uniform} if scan.uniform else {})}


def _accuracy(point: Point | None, images: int) -> str:
    """In percent; as its interval where it is from a sample."""
    if point is None or point.accuracy is None:
        return ""
    middle, half = point.estimate
    return percent(point.accuracy) if point.images == images else f"{middle:.1f} ±{half:.1f}"


def _summary(scan: Scan) -> str:
    of = f"{scan.split}, {count(scan.images)} images"
    early = "; stopped early" * scan.stopped
    if scan.exact:
        return f"accuracy % on {of}, all of them at every point{_ties(scan)}"
    fewest, most = _extremes(point.images for point in scan.points())
    return f"accuracy % on {of}, samples of {fewest} to {most}, 95 % confidence intervals{early}"


def _ties(scan: Scan) -> str:
    """The points that another order of float32 additions may count otherwise, and by how many."""
    tied = [
        f"{name} at {percent(100 * point.sparsity)} %: {point.ties}"
        for name, points in _columns(scan).items()
        for point in points
        if point.ties
    ]
    return f"; images decided by float32 rounding: {', '.join(tied)}" if tied else ""


def _extremes(numbers: Iterable[int]) -> tuple[str, str]:
    known = sorted(numbers)
    return count(known[0]), count(known[-1])
