"""The command `lightest`: the lightest net within an allowed drop in accuracy."""

from argparse import Namespace
from contextlib import closing
from typing import Any

from rich.console import Console

from core.errors import InputError
from core.events import StopFlag, Stream
from core.experiments.spread import Spread
from core.lightest.front import FrontRow, front
from core.lightest.trials import Lightest
from core.pruning.goals import DEFAULT_ALLOCATION
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.number_table import NumberTable
from tui.cli.progress import drive
from tui.cli.trials_table import trials_table
from tui.cli.workers.engines import connection_for, executor_for, note_idle_gpus
from tui.text.format import cost_of, count, percent, score, trial_cost


def prepare(args: Namespace) -> Command[Lightest]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args, read_options.config_of(args))
    seeds = _seeds(args, settings.seed)
    if args.to is not None:
        checks.check_target(args.to, args.json)
    connection = connection_for(args)
    experiment = checks.experiment_for(args, settings)
    workbench = checks.workbench_for(args, settings, trains=True)
    from core.jobs.dense_net import open_dense_net
    from core.lightest.job import check_small_file, lightest
    from core.lightest.report import lightest_report
    from core.lightest.search import Search
    from core.pruning.allocation import check_locked
    from tui.cli.workers.descents import drive_descents

    if args.to is not None:
        check_small_file(args.to)
    locked = read_options.locks_of(args, workbench.layer_names)
    check_locked(workbench.layer_names, locked)
    method = args.allocate or DEFAULT_ALLOCATION
    search = Search(args.max_drop, args.by, method, locked, args.start, args.minutes)
    executor = executor_for(args, connection, workbench)

    def work(stop: StopFlag) -> Stream[Lightest]:
        with closing(executor):
            yield from note_idle_gpus(args, connection)
            yield from workbench.prepared_to_train(stop)
            return (
                yield from lightest(
                    workbench,
                    lambda bench: open_dense_net(bench, stop),
                    search,
                    experiment,
                    seeds,
                    args.to,
                    stop,
                    executor,
                )
            )

    def show(result: Lightest, console: Console) -> dict[str, Any]:
        print_lightest(result, console)
        report = lightest_report(workbench, result, experiment)
        return {**report, "experiment": str(experiment.folder)}

    shown = drive if executor.places == 1 else drive_descents
    return Command(work, show, args.json, drive=shown)


def _seeds(args: Namespace, seed: int) -> tuple[int, ...]:
    if "seeds" not in args:
        return (seed,)
    if "seed" in args:
        raise InputError("give either --seed or --seeds, not both")
    seeds: tuple[int, ...] = args.seeds
    return seeds


def print_lightest(result: Lightest, console: Console) -> None:
    """Print every trial, the front, and the lightest net."""
    trials = [(each.seed, trial) for each in result.descents for trial in each.trials]
    if trials:
        trials_table(trials, result.by).print_to(console)
    _print_front(front(result), result, console)
    for line in _summary(result):
        console.print(line)


def _print_front(rows: tuple[FrontRow, ...], result: Lightest, console: Console) -> None:
    if not rows:
        return
    seeds = len(result.descents)
    over = f", mean (range) of {seeds} seeds" if seeds > 1 else ""
    console.print(f"the front: the fewest {result.by} for each drop in validation accuracy{over}")
    table = NumberTable("drop", result.by, "validation %", "test %", names=False)
    for row in rows:
        table.add_row(
            f"{row.drop:g}",
            _spread(row.cost, lambda value: cost_of(value, result.by)),
            _spread(row.validation, percent),
            _spread(row.test, percent),
        )
    table.print_to(console)


def _spread(spread: Spread, shown: Any) -> str:
    mean, low, high = (shown(value) for value in (spread.mean, spread.low, spread.high))
    return mean if low == high == mean else f"{mean} ({low} to {high})"


def _summary(result: Lightest) -> list[str]:
    early = result.stopped or result.error
    how = "" if result.complete else "; stopped early" if early else "; time is up"
    goal = f"at least {percent(result.descents[0].least)} % on validation"
    if len(result.descents) > 1:
        goal = f"at most {result.max_drop:g} points below dense on validation"
    if (best := result.best) is None or best.cost is None:
        return [f"{f'no trial reached {goal}' if result.trials else 'no trial has ended'}{how}"]
    accuracy = best.accuracy
    lines = [
        f"lightest net with {goal}: {trial_cost(best, result.by)}, {best.ratio:.1f}x, "
        f"validation {score(accuracy, 'validation')} %, test {score(accuracy)} %{how}"
    ]
    if file := result.file:
        values = "exact" if file.levels is None else f"{file.levels} values a layer"
        lines.append(
            f"{file.path}: {count(file.bytes)} bytes, {values}, "
            f"validation {score(file.accuracy, 'validation')} %, test {score(file.accuracy)} %"
        )
    return lines
