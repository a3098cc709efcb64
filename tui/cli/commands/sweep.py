"""The command `sweep`: every combination of plans, settings and seeds, each recorded as a run."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.errors import InputError
from core.events import Notice, StopFlag, Stream
from core.experiments.experiment import Experiment
from core.sweep.grid import Grid, Trial
from core.sweep.live.events import SweepResult
from core.sweep.live.folder import SweepFolder, check_alone
from core.sweep.live.log import StopRequests, logged
from core.sweep.live.process import given_folder
from core.sweep.summary import known_seconds, sweep_report
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.number_table import NumberTable
from tui.cli.sweeps.apart import attach, has_terminal, start_apart
from tui.cli.sweeps.options import grid_of
from tui.cli.sweeps.printing import drive_in_log, print_sweep
from tui.cli.workers.engines import connection_for, executor_for, note_idle_gpus
from tui.text.format import duration

if TYPE_CHECKING:
    from core.jobs.workbench import Workbench
    from core.sweep.driver import TrialStops


def prepare(args: Namespace) -> Command[Any]:
    """Check the options; raises InputError."""
    if args.attach is not None:
        return attach(args)
    grid, trials = grid_of(args)
    experiment = checks.experiment_for(args, trials[0].settings)
    preview = _preview(grid, trials, experiment)
    if args.preview:
        connection_for(args)
        checks.check_output(args.json)
        return _only_preview(preview, trials, args.json)
    folder = given_folder(os.environ)
    if folder is None:
        check_alone(experiment.folder)
    if folder is None and (args.detach or has_terminal(args.json)):
        apart = start_apart(args, experiment, preview)
        if apart is not None:
            return apart
    return _here(args, trials, experiment, folder, preview)


def _here(
    args: Namespace,
    trials: Sequence[Trial],
    experiment: Experiment,
    folder: SweepFolder | None,
    preview: str,
) -> Command[SweepResult]:
    """The sweep in this process, which writes what happens into a folder for those who watch."""
    connection = connection_for(args)
    shared = trials[0].settings
    trains = any(trial.settings.changes.epochs != 0 for trial in trials)
    workbench = checks.workbench_for(args, shared, trains=trains)
    locked = read_options.locks_of(args, workbench.layer_names)
    _check_plans(workbench, trials, locked)
    executor = executor_for(args, connection, workbench)
    from core.sweep.driver import run_trials
    from core.sweep.planning import plan_trials

    def sweep(stop: StopFlag, stops: TrialStops) -> Stream[SweepResult]:
        yield from workbench.prepared_to_train(stop) if trains else workbench.prepared(stop)
        with closing(executor):
            yield from note_idle_gpus(args, connection)
            planned = yield from plan_trials(workbench, trials, locked, experiment, stop)
            return (yield from run_trials(planned, experiment, executor, stop, stops))

    def work(stop: StopFlag) -> Stream[SweepResult]:
        try:
            files = folder or SweepFolder.claim(experiment.folder)
        except InputError as error:
            yield Notice(f"this sweep cannot be watched from elsewhere: {error}")
            return (yield from sweep(stop, tuple))
        asked = StopRequests(files, stop)
        return (yield from logged(sweep(asked.sweep, asked.trials), files, args.words))

    def show(result: SweepResult, console: Console) -> Mapping[str, Any]:
        print_sweep(result, experiment.folder, console)
        return {**sweep_report(result), "experiment": str(experiment.folder)}

    return Command(work, show, args.json, notice=preview, drive=drive_in_log)


def _check_plans(
    workbench: Workbench, trials: Sequence[Trial], locked: Mapping[str, float]
) -> None:
    """Raise InputError if a plan names layers the net lacks, or a goal is out of its reach."""
    from core.jobs.preflight import check_goal

    for choice in {repr(trial.choice): trial.choice for trial in trials}.values():
        try:
            if (goal := choice.goal) is not None:
                check_goal(workbench, goal, locked)
            choice.plan(workbench.settings.model, workbench.layer_names)
        except InputError as error:
            raise InputError(f"{choice}: {error}") from error


def _preview(grid: Grid, trials: Sequence[Trial], experiment: Experiment) -> str:
    """How many trials there are and how long they take, as far as that is known."""
    seconds = known_seconds(trials, experiment.runs())
    time = "time unknown until the first trial is done"
    if seconds is not None:
        time = f"about {duration(seconds)} of training, one after the other, going by recorded runs"
    return f"{grid.count_text()}; {time}"


def _only_preview(text: str, trials: Sequence[Trial], json: str | None) -> Command[None]:
    def work(_stop: StopFlag) -> Stream[None]:
        yield from ()

    def show(_result: None, console: Console) -> Mapping[str, Any]:
        table, seeds = NumberTable("plan", "seeds"), defaultdict[str, list[str]](list)
        for trial in trials:
            seeds[trial.group].append(str(trial.settings.seed))
        for group, each in seeds.items():
            table.add_row(group, ",".join(each))
        table.print_to(console)
        console.print(text)
        rows = [{"trial": t.number, "plan": t.group, "seed": t.settings.seed} for t in trials]
        return {"trials": rows}

    return Command(work, show, json, runs_job=False)
