"""The table of what a net costs, layer by layer, beside the paper's where it has one."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from core.measure.costs import Costs, CostTable
from core.nets.footprint import DeadUnits
from core.pruning.han2015 import PaperLayer
from tui.plots.drawing.numbers import count as short
from tui.text.format import count, percent, ratio, without_dead


def print_table(table: CostTable, split: str, console: Console) -> None:
    """Print it, a row for each layer and the sums; the paper's rounded shares are to the right.

    Where units are dead, there is a column for them.
    """
    paper = table.paper
    dead = table.dead if table.dead and table.dead.total else None
    shown = Table(box=None, pad_edge=False, header_style="dim")
    shown.add_column("layer", no_wrap=True)
    for name in ("weights", "FLOPs", "act %", "weights %", "FLOP %"):
        shown.add_column(name, justify="right")
    if dead:
        shown.add_column("dead", justify="right")
    if paper:
        for name in ("paper: act", "weights", "FLOP"):
            shown.add_column(name, justify="right", style="dim")
    printed = (*paper.layers, paper.total) if paper else ()
    for place, row in enumerate((*table.layers, table.total)):
        units = (_units(row, dead),) if dead else ()
        shown.add_row(*_cells(row), *units, *(_paper(printed[place]) if printed else ()))
    console.print(shown)
    console.print(
        f"{count(table.nonzero)} of {count(table.parameters)} parameters: {ratio(table.ratio)}"
        + (f"; {paper.title} in Han et al. 2015: {paper.rate}x" if paper else "")
    )
    if dead:
        left = table.footprint.without(dead)
        console.print(without_dead(dead.total, left.nonzero, left.parameters))
    console.print(
        f"act %: values after the layer's ReLU that are not zero, on {split}; "
        "FLOP %: weights % x the share of the layer's input that is not zero"
    )


def _units(row: Costs, dead: DeadUnits) -> str:
    return count(dead.units.get(row.name, 0) if row.name != "total" else dead.total)


def _cells(row: Costs) -> tuple[str, ...]:
    act = "–" if row.act is None else percent(row.act)
    return (
        row.name,
        short(row.weights),
        short(row.flops),
        act,
        percent(row.kept),
        percent(row.flops_kept),
    )


def _paper(row: PaperLayer) -> tuple[str, ...]:
    return f"{row.act}", f"{row.kept:g}", f"{row.flops_kept}"
