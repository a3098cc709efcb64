"""The command `search`: the smallest net within an allowed drop in accuracy."""

from argparse import Namespace
from typing import Any

from rich.console import Console

from core.events import StopFlag, Stream, portions, within
from core.jobs.search import SearchResult
from core.pruning.goals import DEFAULT_ALLOCATION
from tui.cli import checks, read_options
from tui.cli.command import Command
from tui.cli.commands.run import OPENING_COST
from tui.cli.number_table import NumberTable
from tui.text.format import percent, score


def prepare(args: Namespace) -> Command[SearchResult]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args, read_options.config_of(args))
    method = args.allocate or DEFAULT_ALLOCATION
    experiment = checks.experiment_for(args, settings)
    workbench = checks.workbench_for(args, settings, trains=True)
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import search_for
    from core.jobs.report import search_report
    from core.pruning.allocation import check_locked

    locked = read_options.locks_of(args, workbench.layer_names)
    check_locked(workbench.layer_names, locked)

    def work(stop: StopFlag) -> Stream[SearchResult]:
        yield from workbench.prepared_to_train(stop)
        opening, searching = portions(OPENING_COST, 1 - OPENING_COST)
        base = yield from within(opening, open_dense_net(workbench, stop))
        max_drop, trials, start = args.max_drop, args.trials, args.start
        stream = search_for(
            workbench, base, max_drop, method, locked, experiment, trials, start, stop
        )
        return (yield from within(searching, stream))

    def show(result: SearchResult, console: Console) -> dict[str, Any]:
        print_search(result, console)
        return {**search_report(workbench, result), "experiment": str(experiment.folder)}

    return Command(work, show, args.json)


def print_search(result: SearchResult, console: Console) -> None:
    """Print every trial, and the smallest that passed."""
    table = NumberTable("trial", "ratio", "validation %", "test %", "passed", "run", names=False)
    for trial in result.trials:
        accuracy = trial.result.accuracy
        table.add_row(
            str(trial.number),
            f"{trial.ratio:.1f}x",
            score(accuracy, "validation"),
            score(accuracy),
            "yes" if trial.good else "no",
            trial.result.run or "",
        )
    table.print_to(console)
    console.print(_summary(result))


def _summary(result: SearchResult) -> str:
    early = "; stopped early" if result.stopped else ""
    goal = f"{percent(result.least)} % on validation"
    if result.best is None:
        return f"no trial reached {goal}{early}"
    accuracy = result.best.result.accuracy
    return (
        f"smallest net with at least {goal}: {result.best.ratio:.1f}x, "
        f"validation {score(accuracy, 'validation')} %, test {score(accuracy)} %{early}"
    )
