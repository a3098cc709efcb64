"""The live table of a search for the lightest net whose trials run side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from core.events import Event, Portion, Stream, drain
from core.executors.events import TrialBegan, TrialLost, TrialOver, TrialReported
from core.lightest.trials import By, Trial, TrialFinished
from core.pruning.curves import PointScanned, ScanUpdated
from tui.cli.number_table import NumberTable, terminal_width
from tui.cli.progress import SHOWN_TRIALS, print_event
from tui.cli.sweeps.board import DRAWN, HEADINGS, Board, active_row, print_report
from tui.cli.trials_table import trials_table
from tui.system.job_control import releasing
from tui.text.format import trial_result

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Descents:
    """What the live table shows, after all events so far.

    Attributes:
        board: has the trials in progress, and what happens before them.
        finished: the trials, the newest last, as many as are shown.
        by: what they are judged by.
    """

    board: Board
    finished: tuple[Trial, ...] = ()
    by: By = "parameters"

    def after(self, event: Event, now: float) -> Descents:
        """With one more event."""
        match event:
            case TrialFinished():
                finished = (*self.finished, event.trial)[-SHOWN_TRIALS:]
                return replace(self, finished=finished, by=event.by)
            case TrialOver():
                active = self.board.without(event.trial)
                return replace(self, board=replace(self.board, active=active))
            case _:
                return replace(self, board=self.board.after(event, now))


def lines(descents: Descents, width: int | None) -> list[Text]:
    """The trials that ended, and those in progress."""
    shown = list[Text]()
    if descents.finished:
        rows = [(trial.settings.seed, trial) for trial in descents.finished]
        shown += trials_table(rows, descents.by).lines(width)
    table = NumberTable(*HEADINGS)
    for active in descents.board.active:
        table.add_row(*active_row(active))
    if descents.board.active:
        return [*shown, *table.lines(width, first_out=(6,))]
    step = descents.board.step
    done = "" if step.done is None else f" {step.done:.0%}"
    return [*shown, Text(f"{step.step or 'opening the dense net'}{done}")]


def drive_descents(stream: Stream[T], console: Console) -> T:
    """Run a search to its end: the live table in a terminal, lines in a log."""
    if not console.is_terminal:
        return drain(stream, lambda event: _print(event, console, live=False))
    descents = Descents(Board())

    def shown() -> Group:
        return Group(*lines(descents, terminal_width(console)))

    def update(event: Event) -> None:
        nonlocal descents
        descents = descents.after(event, monotonic())
        _print(event, console, live=True)

    live = Live(get_renderable=shown, console=console, transient=True, refresh_per_second=DRAWN)
    with live, releasing(live.stop, live.start):
        return drain(stream, update)


def _print(event: Event, console: Console, *, live: bool) -> None:
    """Print what a log should keep; a live table shows the trials itself."""
    match event:
        case TrialBegan() if not live:
            run = f", run {event.run}" if event.run else ""
            console.print(f"{event.trial}{' resumed' * event.resumed}{run}")
        case TrialReported():
            print_report(event, console, epochs=not live)
        case TrialLost():
            console.print(f"{event.trial}: its worker was lost: {event.reason}")
        case TrialFinished(trial=trial) if not live:
            result = trial_result(trial, event.by)
            console.print(f"trial {trial.number}, seed {trial.settings.seed}: {result}")
        case TrialBegan() | TrialOver() | TrialFinished() | Portion():
            pass
        case ScanUpdated() | PointScanned() if live:
            pass
        case _:
            print_event(event, console)
