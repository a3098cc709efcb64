"""What a sweep prints: lines for a log, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from core.events import Epoch, Event, Notice, Stream, drain
from core.executors.events import TrialBegan, TrialLost, TrialReported
from core.pruning.curves import PointScanned, ScanUpdated
from core.sweep.live.events import (
    SweepPlanned,
    SweepResult,
    TrialEnded,
    TrialOutcome,
    TrialStopped,
    TrialStopping,
)
from core.sweep.summary import GroupResult, group_results
from tui.cli.number_table import NumberTable
from tui.cli.progress import print_event
from tui.text.format import count, percent, ratio, score, score_on


def drive_in_log(stream: Stream[SweepResult], console: Console) -> SweepResult:
    """Run a sweep to its end, and print what a log should keep."""
    return drain(stream, lambda event: print_sweep_event(event, console, live=False))


def print_sweep_event(event: Event, console: Console, *, live: bool) -> None:
    """Print what a log should keep; a live table shows the trials and their epochs itself."""
    match event:
        case SweepPlanned():
            for text in planned_lines(event):
                console.print(text)
        case TrialBegan() if not live:
            console.print(str(event))
        case TrialReported():
            print_report(event, console, epochs=not live)
        case TrialStopping() if live:
            pass
        case TrialLost() | TrialStopping() | TrialStopped() | TrialEnded():
            if text := _end_of(event):
                console.print(text)
        case TrialBegan():
            pass
        case ScanUpdated() | PointScanned() if live:
            pass
        case _:
            print_event(event, console)


def _end_of(event: TrialLost | TrialStopping | TrialStopped | TrialEnded) -> str:
    """A line on how a trial ends; empty for one recorded before."""
    match event:
        case TrialLost():
            return str(event)
        case TrialStopping():
            return f"{event.trial}: stopping"
        case TrialStopped():
            return f"{event.trial}: stopped before its full sparsity; the same sweep resumes it"
        case TrialEnded() if event.outcome.is_new or event.outcome.error:
            return f"{event.outcome.trial}: {ended_text(event.outcome)}"
    return ""


def print_report(event: TrialReported, console: Console, *, epochs: bool) -> None:
    """Print an event of a trial that a log should keep."""
    match event.event:
        case Notice(text=text, warning=warning):
            console.print(f"{event.trial}: {'warning: ' * warning}{text}")
        case Epoch(epoch=epoch, validation=validation, images=images, seconds=s) if epochs:
            text = f"epoch {epoch}: validation {score_on(validation, images)} %, {s:.1f} s"
            console.print(f"{event.trial}: {text}")


def planned_lines(event: SweepPlanned) -> list[str]:
    """Lines on the trials that have a run already; none if none has."""
    whole, resumed = event.recorded, event.resumable
    total = f"of {count(len(event.trials))} trials"
    return [
        *([f"{count(whole)} {total} already recorded"] if whole else []),
        *([f"{count(resumed)} {total} to resume after the last epoch"] if resumed else []),
    ]


def ended_text(outcome: TrialOutcome) -> str:
    """How a trial ended."""
    record = outcome.record
    if record is None or (accuracy := record.measured.get(record.stage)) is None:
        return f"failed: {outcome.error}"
    accuracies = f"validation {score(accuracy, 'validation')} %, test {score(accuracy)} %"
    early = ", stopped early" * outcome.stopped + (f": {outcome.error}" if outcome.error else "")
    return f"{ratio(record.ratio or 0.0)}, {accuracies}{early}"


def print_sweep(result: SweepResult, experiment: Path, console: Console) -> None:
    """Print mean and range by plan, mark the Pareto front, and say what is left."""
    rows = group_results(result.outcomes)
    if rows:
        _print_groups(rows, console)
    new = sum(outcome.is_new and outcome.record is not None for outcome in result.outcomes)
    known = sum(not outcome.is_new and outcome.record is not None for outcome in result.outcomes)
    console.print(f"{_trials(new)} run, {count(known)} recorded before; runs are in {experiment}")
    if stopped := sum(outcome.stopped for outcome in result.outcomes):
        again = "the same sweep runs " + ("them again" if stopped > 1 else "it again")
        console.print(f"{_trials(stopped)} stopped early, best epoch kept; {again}")
    if result.unfinished:
        left = f"{_trials(len(result.unfinished))} left"
        console.print(f"{left}: run the same sweep again to continue")


def _trials(number: int) -> str:
    return f"{count(number)} trial{'s' * (number != 1)}"


def _print_groups(rows: Sequence[GroupResult], console: Console) -> None:
    """Print the table of plans; ranges, if one has several seeds."""
    ranges = any(row.seeds > 1 for row in rows)
    spread = ("range",) * ranges
    table = NumberTable(
        "plan", "seeds", "ratio", "validation %", *spread, "test %", *spread, "front"
    )
    for row in rows:
        accuracies = [
            [percent(each.mean), *([f"{percent(each.low)}-{percent(each.high)}"] * ranges)]
            for each in (row.validation, row.test)
        ]
        cells = (cell for each in accuracies for cell in each)
        table.add_row(
            row.name, str(row.seeds), f"{row.ratio:.2f}x", *cells, "*" if row.on_front else ""
        )
    table.print_to(console, first_out=(6, 4, 1) if ranges else (1,))
    console.print("* on the front: no other plan is both smaller and more accurate on validation")
