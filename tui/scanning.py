"""The command `scan`: what runs, and its table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from core.curves import Point, Scan
from tui.format import count, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.events import StopFlag, Stream
    from core.workbench import Workbench


def scan_stream(
    bench: Workbench,
    split: str,
    sparsities: Sequence[float],
    uniform: Sequence[float],
    within: float | None,
    stop: StopFlag,
) -> Stream[Scan]:
    """Open the dense net and scan it."""
    base = yield from bench.open(stop)
    return (yield from bench.scan(base, split, sparsities, uniform, within, stop))


def print_scan(scan: Scan, console: Console) -> None:
    """Accuracy against sparsity, a column for each layer."""
    columns = {**scan.layers, **({"uniform": scan.uniform} if scan.uniform else {})}
    points = {name: {point.sparsity: point for point in row} for name, row in columns.items()}
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("sparsity %", justify="right")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for sparsity in sorted({point.sparsity for point in scan.points()}):
        cells = (_accuracy(rows.get(sparsity), scan.images) for rows in points.values())
        table.add_row(percent(100 * sparsity), *cells)
    console.print(table)
    console.print(_summary(scan), markup=False)


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
        ties = sum(point.ties for point in scan.points())
        hang = f"; {count(ties)} answers hang on how float32 is rounded" if ties else ""
        return f"accuracy % on {of}, every one at every point{hang}"
    fewest, most = _extremes(point.images for point in scan.points())
    return f"accuracy % on {of}, samples of {fewest} to {most}, 95 % intervals{early}"


def _extremes(numbers: Iterable[int]) -> tuple[str, str]:
    known = sorted(numbers)
    return count(known[0]), count(known[-1])
