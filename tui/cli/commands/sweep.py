"""The command `sweep`: every combination of plans, settings and seeds, each recorded as a run."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.errors import InputError
from core.events import StopFlag, Stream
from core.experiments.experiment import Experiment
from core.sweep.grid import Grid, Trial
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.number_table import NumberTable
from tui.cli.sweeps.options import grid_of
from tui.cli.workers.engines import connection_for, executor_for
from tui.text.format import count, duration, percent

if TYPE_CHECKING:
    from core.experiments.spread import Spread
    from core.jobs.workbench import Workbench
    from core.sweep.driver import SweepResult
    from core.sweep.summary import GroupResult


def prepare(args: Namespace) -> Command[Any]:
    """Check the options; raises InputError."""
    grid, trials = grid_of(args)
    connection = connection_for(args)
    shared = trials[0].settings
    experiment = checks.experiment_for(args, shared)
    preview = _preview(grid, trials, experiment)
    if args.preview:
        checks.check_output(args.json)
        return _only_preview(preview, trials, args.json)
    trains = any(trial.settings.changes.epochs != 0 for trial in trials)
    workbench = checks.workbench_for(args, shared, trains=trains)
    locked = read_options.locks_of(args, workbench.layer_names)
    _check_plans(workbench, trials, locked)
    executor = executor_for(args, connection, workbench)
    from core.sweep.driver import run_trials
    from core.sweep.planning import plan_trials
    from core.sweep.summary import sweep_report
    from tui.cli.sweeps.board import drive_sweep

    def work(stop: StopFlag) -> Stream[SweepResult]:
        yield from workbench.prepared_to_train(stop) if trains else workbench.prepared(stop)
        with closing(executor):
            planned = yield from plan_trials(workbench, trials, locked, experiment, stop)
            return (yield from run_trials(planned, experiment, executor, stop))

    def show(result: SweepResult, console: Console) -> Mapping[str, Any]:
        print_sweep(result, experiment, console)
        return {**sweep_report(result), "experiment": str(experiment.folder)}

    return Command(work, show, args.json, notice=preview, drive=drive_sweep)


def _check_plans(
    workbench: Workbench, trials: Sequence[Trial], locked: Mapping[str, float]
) -> None:
    """Raise InputError if a plan names layers the net lacks, or a goal is out of its reach."""
    from core.jobs.preflight import check_goal

    for choice in dict.fromkeys(str(trial.choice) for trial in trials):
        trial = next(trial for trial in trials if str(trial.choice) == choice)
        try:
            if (goal := trial.choice.goal) is not None:
                check_goal(workbench, goal, locked)
            trial.choice.plan(workbench.settings.model, workbench.layer_names)
        except InputError as error:
            raise InputError(f"{choice}: {error}") from error


def _preview(grid: Grid, trials: Sequence[Trial], experiment: Experiment) -> str:
    """How many trials there are and how long they take, as far as that is known."""
    from core.sweep.summary import known_seconds

    seconds = known_seconds(trials, experiment.runs())
    time = "time unknown until the first trial is done"
    if seconds is not None:
        time = f"about {duration(seconds)} of training, one after the other, going by recorded runs"
    return f"{grid.count_text()}; {time}"


def _only_preview(text: str, trials: Sequence[Trial], json: str | None) -> Command[None]:
    def work(_stop: StopFlag) -> Stream[None]:
        yield from ()

    def show(_result: None, console: Console) -> Mapping[str, Any]:
        table = NumberTable("plan", "seeds")
        for group in dict.fromkeys(trial.group for trial in trials):
            seeds = [str(trial.settings.seed) for trial in trials if trial.group == group]
            table.add_row(group, ",".join(seeds))
        table.print_to(console)
        console.print(text)
        rows = [{"trial": t.number, "plan": t.group, "seed": t.settings.seed} for t in trials]
        return {"trials": rows}

    return Command(work, show, json, runs_job=False)


def print_sweep(result: SweepResult, experiment: Experiment, console: Console) -> None:
    """Print mean and range by plan, mark the Pareto front, and say what is left."""
    from core.sweep.summary import group_results

    rows = group_results(result.outcomes)
    table = NumberTable(
        "plan", "seeds", "ratio", "validation %", "range", "test %", "range", "front"
    )
    for row in rows:
        table.add_row(*_cells(row))
    if rows:
        table.print_to(console, first_out=(6, 4, 1))
        console.print("front: no other plan is both smaller and more accurate on validation")
    new = sum(outcome.is_new and outcome.record is not None for outcome in result.outcomes)
    known = sum(not outcome.is_new and outcome.record is not None for outcome in result.outcomes)
    console.print(
        f"{count(new)} trials run, {count(known)} recorded before; runs are in {experiment.folder}"
    )
    if result.unfinished:
        left = f"{count(len(result.unfinished))} trials are left"
        console.print(f"{left}: start the same sweep again, and it goes on from there")


def _cells(row: GroupResult) -> tuple[str, ...]:
    return (
        row.name,
        str(row.seeds),
        f"{row.ratio:.2f}x",
        percent(row.validation.mean),
        _range(row.validation),
        percent(row.test.mean),
        _range(row.test),
        "*" if row.on_front else "",
    )


def _range(spread: Spread) -> str:
    return f"{percent(spread.low)}-{percent(spread.high)}"
