"""The command `search`: the lightest net within a drop in accuracy."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from core.jobs.search import SearchResult
from tui.cli import checks, options
from tui.cli.command import Command
from tui.text.format import percent

if TYPE_CHECKING:
    from core.events import StopFlag, Stream


def prepare(given: Namespace) -> Command[SearchResult]:
    """Check the options; raises InputError."""
    settings = options.settings_of(given, options.config_of(given))
    method = options.allocation_of(given)
    experiment = checks.experiment_for(given, settings)
    workbench = checks.workbench_for(given, settings)
    from core.jobs.dense_net import open_dense_net
    from core.jobs.goals import search_for
    from core.jobs.report import search_report
    from core.pruning.allocation import check_locked

    locked = options.locks_of(given, workbench.layer_names)
    check_locked(workbench.layer_names, locked)

    def work(stop: StopFlag) -> Stream[SearchResult]:
        base = yield from open_dense_net(workbench, stop)
        return (
            yield from search_for(
                workbench,
                base,
                max_drop=given.max_drop,
                method=method,
                locked=locked,
                experiment=experiment,
                trials=given.trials,
                start=given.start,
                stop=stop,
            )
        )

    def show(found: SearchResult, console: Console) -> dict[str, Any]:
        print_search(found, console)
        return {**search_report(workbench, found), "experiment": str(experiment.folder)}

    return Command(work, show, given.json)


def print_search(found: SearchResult, console: Console) -> None:
    """Print every trial, and the smallest that passed."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("trial", "ratio", "validation %", "test %", "within", "run"):
        table.add_column(name, justify="left" if name == "within" else "right")
    for trial in found.trials:
        accuracy = trial.result.accuracy
        table.add_row(
            str(trial.number),
            f"{trial.ratio:.1f}x",
            percent(accuracy.validation),
            percent(accuracy.test),
            "yes" if trial.good else "no",
            trial.result.run or "",
        )
    console.print(table)
    console.print(_summary(found), markup=False)


def _summary(found: SearchResult) -> str:
    early = "; stopped early" * found.stopped
    goal = f"{percent(found.least)} % on validation"
    if found.best is None:
        return f"no trial reached {goal}{early}"
    accuracy = found.best.result.accuracy
    return (
        f"smallest net with at least {goal}: {found.best.ratio:.1f}x, "
        f"validation {percent(accuracy.validation)} %, test {percent(accuracy.test)} %{early}"
    )
