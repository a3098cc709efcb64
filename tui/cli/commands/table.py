"""The command `table`: what a net costs, layer by layer, beside the paper's figures."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from core.errors import InputError
from core.experiments.experiment import open_run
from core.measure.costs import Costs, CostTable, table_report
from core.nets.footprint import DeadUnits
from core.pruning.han2015 import PaperLayer
from core.pruning.plans import uniform_plan
from tui.cli import checks, options
from tui.cli.command import Command
from tui.plots.drawing.numbers import count as short
from tui.text.format import count, percent, ratio, without_dead

if TYPE_CHECKING:
    from core.events import StopFlag, Stream


def prepare(given: Namespace) -> Command[CostTable]:
    """Check the options; raises InputError."""
    found = None if given.run is None else open_run(given.run)
    config = options.config_of(given)
    settings = (
        options.settings_of_net(given, found) if found else options.settings_of(given, config)
    )
    goal, method = options.goal_of(given), options.allocation_of(given)
    experiment = checks.experiment_for(given, settings)
    workbench = checks.workbench_for(given, settings, found.weights_path if found else None)
    from core.formats.weights_files import load_weights
    from core.jobs import measurement
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.preflight import check_goal
    from core.pruning.masks import Masks

    plan = options.explicit_plan(given, config, settings.model, workbench.layer_names)
    locked = options.locks_of(given, workbench.layer_names)
    if found and (plan or goal):
        raise InputError(f"run {found.id} already has sparsities: give RUN or sparsities, not both")
    if goal:
        check_goal(workbench, goal, locked)

    def work(stop: StopFlag) -> Stream[CostTable]:
        if found:
            yield from workbench.splits(stop)
            weights = load_weights(found.weights_path, workbench.models.uninitialized())
            return (yield from measurement.costs(workbench, weights, given.split, stop))
        base = yield from open_dense_net(workbench, stop)
        chosen = plan or uniform_plan(0.0, workbench.layer_names)
        if goal:
            chosen = yield from plan_for(workbench, base, goal, method, locked, experiment, stop)
        pruned = Masks.of(base.weights, workbench.layers, chosen).apply(base.weights)
        return (yield from measurement.costs(workbench, pruned, given.split, stop))

    def show(result: CostTable, console: Console) -> dict[str, Any]:
        print_table(result, given.split, console)
        return table_report(settings.model, result)

    return Command(work, show, given.json)


def print_table(table: CostTable, split: str, console: Console) -> None:
    """Print one row per layer and the totals, with the paper's rounded shares on the right.

    A column for dead units appears if there are any.
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
        f"act %: nonzero values after the layer's ReLU, on {split}; "
        "FLOP %: weights % x the nonzero share of the layer's input"
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
