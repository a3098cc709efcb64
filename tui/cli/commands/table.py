"""The command `table`: the cost of each layer, next to the figures of the paper."""

from argparse import Namespace
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from rich.console import Console

from core.data.registry import short_data_name
from core.errors import InputError
from core.events import StopFlag, Stream
from core.experiments.experiment import open_run
from core.measure.costs import CostTable, table_report
from core.pruning.goals import DEFAULT_ALLOCATION, NEEDING_SCAN
from core.pruning.plans import uniform_plan
from tui.cli import checks, read_options
from tui.cli.add_options import IMAGES
from tui.cli.command import Command
from tui.cli.number_table import NumberTable
from tui.plots.drawing.numbers import count as short
from tui.text.format import (
    UNPRUNABLE,
    count,
    images_of,
    measured_share,
    percent,
    ratio,
    without_dead,
)


def prepare(args: Namespace) -> Command[CostTable]:
    """Check the options; raises InputError."""
    run = None if args.run is None else open_run(args.run)
    config = read_options.config_of(args)
    settings = (
        read_options.settings_of_net(args, run) if run else read_options.settings_of(args, config)
    )
    goal, method = read_options.goal_of(args), args.allocate or DEFAULT_ALLOCATION
    experiment = checks.experiment_for(args, settings)
    workbench = checks.workbench_for(args, settings, run)
    from core.jobs import measurement
    from core.jobs.dense_net import open_dense_net, unmeasured_dense_net
    from core.jobs.goals import plan_for
    from core.jobs.preflight import check_goal
    from core.nets.weights import state_dict

    plan = read_options.explicit_plan(args, config, settings.model, workbench.layer_names)
    locked = read_options.locks_of(args, workbench.layer_names)
    if run and (plan or goal):
        raise InputError(f"run {run.id} already has sparsities: give RUN or sparsities, not both")
    if goal:
        check_goal(workbench, goal, locked)

    def work(stop: StopFlag) -> Stream[CostTable]:
        if run:
            yield from workbench.splits(stop)
            weights = run.dense_weights(workbench.models.uninitialized()).weights
            return (yield from measurement.costs(workbench, weights, args.split, args.images, stop))
        # On all images, a large net takes many times as long as the table.
        open_net = open_dense_net if goal and method in NEEDING_SCAN else unmeasured_dense_net
        base = yield from open_net(workbench, stop)
        target = plan or uniform_plan(0.0, workbench.layer_names)
        if goal:
            target = yield from plan_for(workbench, base, goal, method, locked, experiment, stop)
        weights = state_dict((yield from measurement.pruned_net(workbench, base, target, stop)))
        return (yield from measurement.costs(workbench, weights, args.split, args.images, stop))

    def show(result: CostTable, console: Console) -> dict[str, Any]:
        of_run = f", run {run.id}" if run else ""
        console.print(f"{settings.short_name} on {short_data_name(settings.dataset)}{of_run}")
        print_table(result, args.split, console)
        return table_report(settings.model, result)

    return Command(work, show, args.json)


def print_table(table: CostTable, split: str, console: Console) -> None:
    """Print one row per layer and the totals, with dead units and the paper's figures if any."""
    paper, net = table.paper, table.footprint
    dead = table.dead if table.dead and table.dead.total else None
    grid = NumberTable("layer", "weights", "FLOPs", "act %", "kept %", "FLOP %")
    if dead:
        grid.add_columns("dead")
    if paper:
        grid.add_columns("paper: act", "kept", "FLOP", style="dim")
    paper_rows = (*paper.layers, paper.total) if paper else ()
    for row, figures in zip_longest((*table.layers, table.total), paper_rows):
        if row is table.total and table.unprunable_flops:
            grid.add_row(UNPRUNABLE, "–", short(table.unprunable_flops), "–", "–", percent(100.0))
        shares = (measured_share(row.act, row.within), percent(row.kept), percent(row.flops_kept))
        cells = [row.name, short(row.weights), short(row.flops), *shares]
        if dead:
            cells.append(count(dead.total if row is table.total else dead.units.get(row.name, 0)))
        if figures:
            cells += [f"{figures.act}", f"{figures.kept:g}", f"{figures.flops_kept}"]
        grid.add_row(*cells)
    grid.print_to(console)
    console.print(
        f"{count(net.nonzero)} of {count(net.parameters)} parameters: {ratio(net.ratio)}"
        + (f"; {paper.title} in Han et al. 2015: {paper.rate}x" if paper else "")
    )
    if dead:
        remaining = net.without(dead)
        console.print(without_dead(dead.total, remaining.nonzero, remaining.parameters))
    for line in _notes(table, split):
        console.print(line)


def _notes(table: CostTable, split: str) -> Iterator[str]:
    """What was measured, on which images, and what the total leaves out."""
    measured = table.activity
    images = images_of(measured.images, measured.of, split)
    if measured.sampled:
        images += f" drawn at random (95 % intervals; {IMAGES.flag} all for all)"
    yield (
        f"act %: nonzero values after the layer's ReLU, on {images}; "
        "FLOP %: kept % x the nonzero share of the layer's input"
    )
    if table.unprunable_flops:
        yield f"{UNPRUNABLE}: products of activations (attention) or with weights no plan prunes"
    if measured.uncounted:
        yield f"the total leaves out FLOPs it cannot count: {', '.join(measured.uncounted)}"
