"""The command `scan`: how sensitive the layers are to pruning."""

from argparse import Namespace
from typing import Any

from rich.console import Console

from core.events import StopFlag, Stream
from core.pruning.curves import SPARSITIES, UNIFORM_SPARSITIES, WITHIN, Point, Scan
from core.pruning.plans import parse_sparsities
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.number_table import number_table
from tui.text.format import count, percent


def prepare(args: Namespace) -> Command[Scan]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args)
    sparsities = parse_sparsities(args.sparsities) if args.sparsities is not None else ()
    within = WITHIN if args.quick and args.within is None else args.within
    uniform = (sparsities or UNIFORM_SPARSITIES) if args.uniform else ()
    experiment = checks.experiment_for(args, settings)
    workbench = checks.workbench_for(args, settings)
    from core.jobs import measurement
    from core.jobs.dense_net import dense_weights
    from core.jobs.goals import store_scan
    from core.jobs.report import scan_report
    from core.nets.weights import weights_digest

    def work(stop: StopFlag) -> Stream[Scan]:
        yield from workbench.splits(stop)
        dense = yield from dense_weights(workbench, stop)
        scan = yield from measurement.scan(
            workbench, dense.weights, args.split, sparsities or SPARSITIES, uniform, within, stop
        )
        yield from store_scan(workbench, weights_digest(dense.weights), scan, experiment)
        return scan

    def show(scan: Scan, console: Console) -> dict[str, Any]:
        print_scan(scan, settings.protocol, console)
        return scan_report(workbench, scan)

    return Command(work, show, args.json)


def print_scan(scan: Scan, protocol: str, console: Console) -> None:
    """Print accuracy against sparsity, one column per layer."""
    columns = _columns(scan)
    points = {name: {point.sparsity: point for point in row} for name, row in columns.items()}
    table = number_table("sparsity %", *columns, names=False)
    for sparsity in sorted({point.sparsity for point in scan.points()}):
        cells = (_accuracy(rows.get(sparsity), scan.images) for rows in points.values())
        table.add_row(percent(100 * sparsity), *cells)
    console.print(table)
    note = " (reference protocol: validation is test)" if protocol == "reference" else ""
    console.print(_summary(scan) + note)


def _columns(scan: Scan) -> dict[str, tuple[Point, ...]]:
    return {**scan.layers, **({"uniform": scan.uniform} if scan.uniform else {})}


def _accuracy(point: Point | None, images: int) -> str:
    """The accuracy in percent, as an interval if it is from a sample."""
    if point is None or point.accuracy is None:
        return ""
    if point.images == images:
        return percent(point.accuracy)
    center, half_width = point.estimate
    return f"{center:.1f} ±{half_width:.1f}"


def _summary(scan: Scan) -> str:
    text = f"accuracy % on {scan.split}, {count(scan.images)} images"
    if scan.exact:
        return f"{text} at every point{_ties(scan)}"
    sizes = [point.images for point in scan.points()]
    samples = f"samples of {count(min(sizes))} to {count(max(sizes))}"
    early = "; stopped early" if scan.stopped else ""
    return f"{text}, {samples}, 95 % confidence intervals{early}"


def _ties(scan: Scan) -> str:
    """Points whose count depends on the order of float32 additions, and by how many images."""
    tied = [
        f"{name} at {percent(100 * point.sparsity)} %: {point.ties}"
        for name, points in _columns(scan).items()
        for point in points
        if point.ties
    ]
    return f"; images decided by float32 rounding: {', '.join(tied)}" if tied else ""
