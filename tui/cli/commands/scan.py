"""The command `scan`: how sensitive the layers are to pruning."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from core.events import StopFlag, Stream
from core.pruning.curves import UNIFORM_SPARSITIES, WITHIN, Point, RepairName, Scan
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.number_table import NumberTable, terminal_width
from tui.cli.workers.engines import connection_for, executor_for, is_elsewhere, note_idle_gpus
from tui.text.format import are_few, count, half_width, percent, score_on

_REPAIRED: Mapping[RepairName, str] = {
    "none": "",
    "recalibrate": "recalibrated, ",
    "reconstruct": "each layer reconstructed, ",
}


def prepare(args: Namespace) -> Command[Scan]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args)
    sparsities: tuple[float, ...] = args.sparsities or ()
    within = WITHIN if args.quick and args.within is None else args.within
    uniform = (sparsities or UNIFORM_SPARSITIES) if args.uniform else ()
    connection = connection_for(args)
    experiment = checks.experiment_for(args, settings)
    workbench = checks.workbench_for(args, settings)
    executor = executor_for(args, connection, workbench) if is_elsewhere(args) else None
    from core.executors.scan import scan_on
    from core.executors.work.layer_scan import LayerScan
    from core.jobs.dense_net import dense_weights
    from core.jobs.goals import store_scan
    from core.jobs.report import scan_report
    from core.nets.weights import weights_digest

    wanted = LayerScan(args.split, sparsities or None, tuple(uniform), within)

    def work(stop: StopFlag) -> Stream[Scan]:
        yield from note_idle_gpus(args, connection)
        yield from workbench.splits(stop)
        dense = yield from dense_weights(workbench, stop)
        if executor is None:
            scan = yield from wanted.scan(workbench, dense.weights, stop)
        else:
            scan = yield from scan_on(executor, workbench, dense.weights, wanted, stop)
        yield from store_scan(workbench, weights_digest(dense.weights), scan, experiment)
        return scan

    def show(scan: Scan, console: Console) -> dict[str, Any]:
        print_scan(scan, settings.protocol, console)
        return scan_report(workbench, scan)

    return Command(work, show, args.json)


def print_scan(scan: Scan, protocol: str, console: Console) -> None:
    """Print a row for each layer, one for all layers together, and a column for each sparsity."""
    for line in scan_lines(scan, terminal_width(console)):
        console.print(line)
    note = " (reference protocol: validation is test)" if protocol == "reference" else ""
    console.print(_summary(scan) + note)


def scan_lines(scan: Scan, room: int | None) -> Iterator[Text]:
    """The table of a scan, in short numbers if the long ones do not fit."""
    sparsities = sorted({point.sparsity for point in scan.points()})
    table = _table(scan, sparsities)
    if not table.fits(room):
        table = _narrow_table(scan, sparsities)
    return table.lines(room, first_out=_thinned(len(sparsities)))


def _table(scan: Scan, sparsities: Sequence[float]) -> NumberTable:
    """Accuracies with two decimals, or with the intervals of samples."""
    table = NumberTable("layer", *map(_heading, sparsities))
    for name, points in _rows(scan).items():
        table.add_row(name, *(_accuracy(points.get(each), scan.images) for each in sparsities))
    return table


def _narrow_table(scan: Scan, sparsities: Sequence[float]) -> NumberTable:
    """Accuracies with one decimal; the widest half of a row's intervals at its end."""
    table, halves = NumberTable("layer", *map(_heading, sparsities), gap=1), {}
    for name, points in _rows(scan).items():
        half = max((_half_width(each, scan.images) for each in points.values()), default=0.0)
        halves[name] = f"±{half:.1f}" if half else ""
    if any(halves.values()):
        table.add_columns("")
    for name, points in _rows(scan).items():
        cells = [_short_accuracy(points.get(each), scan.images) for each in sparsities]
        table.add_row(name, *cells, *([halves[name]] if any(halves.values()) else []))
    return table


def _thinned(number: int) -> list[int]:
    """The columns of sparsities in the order in which they are left out.

    Every other one goes first, then every other one of the rest; the last one stays.
    """
    from_last = sorted(range(1, number), key=lambda steps: (steps & -steps, -steps))
    return [number - steps for steps in from_last]


def _heading(sparsity: float) -> str:
    return f"{100 * sparsity:g} %"


def _rows(scan: Scan) -> dict[str, dict[float, Point]]:
    """The points of each row by sparsity."""
    rows = {**scan.layers, **({"uniform": scan.uniform} if scan.uniform else {})}
    return {name: {point.sparsity: point for point in points} for name, points in rows.items()}


def _accuracy(point: Point | None, images: int) -> str:
    """The accuracy in percent, as an interval if it is from a sample."""
    if point is None or point.accuracy is None:
        return ""
    if point.images == images:
        return score_on(point.accuracy, images)
    center, half_width = point.estimate
    return f"{center:.1f} ±{half_width:.1f}"


def _half_width(point: Point, images: int) -> float:
    """Half the width of its interval; 0 if it has or needs none."""
    if point.accuracy is None:
        return 0.0
    return half_width(point.accuracy, images) if point.images == images else point.estimate[1]


def _short_accuracy(point: Point | None, images: int) -> str:
    if point is None or point.accuracy is None:
        return ""
    value = point.accuracy if point.images == images else point.estimate[0]
    return f"{value:.1f}".replace("100.0", "100")


def _summary(scan: Scan) -> str:
    text = f"accuracy % on {scan.split} by sparsity, {_REPAIRED[scan.repair]}"
    text += f"{count(scan.images)} images"
    if scan.exact:
        few = ", 95 % confidence intervals" if are_few(scan.images) else ""
        return f"{text} at every point{few}{_ties(scan)}"
    sizes = [point.images for point in scan.points()]
    samples = f"samples of {count(min(sizes))} to {count(max(sizes))}"
    early = "; stopped early" if scan.stopped else ""
    return f"{text}, {samples}, 95 % confidence intervals{early}"


def _ties(scan: Scan) -> str:
    """Points whose count depends on the order of float32 additions, and by how many images."""
    tied = [
        f"{name} at {percent(100 * point.sparsity)} %: {point.ties}"
        for name, points in _rows(scan).items()
        for point in points.values()
        if point.ties
    ]
    return f"; images decided by float32 rounding: {', '.join(tied)}" if tied else ""
