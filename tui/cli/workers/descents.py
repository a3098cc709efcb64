"""The live table of a search for the lightest net whose trials run side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from core.events import Batch, Epoch, Event, Portion, Stream, drain
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialOver, TrialReported
from core.lightest.trials import By, Trial, TrialFinished
from core.progress import Meter
from core.pruning.curves import PointScanned, ScanUpdated
from tui.cli.number_table import NumberTable, terminal_width
from tui.cli.progress import SHOWN_TRIALS, print_event
from tui.cli.sweeps.board import HEADINGS, active_row
from tui.cli.sweeps.printing import print_report
from tui.cli.sweeps.watcher import DRAWN
from tui.cli.trials_table import trials_table
from tui.state.sweep.board import Active
from tui.system.job_control import releasing
from tui.text.format import trial_result

T = TypeVar("T")

NO_METER = Meter()


@dataclass(frozen=True, slots=True)
class Descents:
    """What the live table shows, after all events so far.

    Attributes:
        active: the trials in progress, in the order of their beginnings, and how far they are.
        finished: the trials, the newest last, as many as are shown.
        by: what they are judged by.
        step: what happens before the trials.
    """

    active: tuple[tuple[Active, Meter], ...] = ()
    finished: tuple[Trial, ...] = ()
    by: By = "parameters"
    step: Meter = NO_METER

    def after(self, event: Event, now: float) -> Descents:
        """With one more event."""
        match event:
            case TrialBegan():
                begun = Active(event.trial, event.ratio), NO_METER
                return replace(self, active=(*self._without(event.trial), begun))
            case TrialLost() | TrialOver():
                return replace(self, active=self._without(event.trial))
            case TrialReported():
                return replace(self, active=tuple(_after(*one, event, now) for one in self.active))
            case TrialFinished():
                finished = (*self.finished, event.trial)[-SHOWN_TRIALS:]
                return replace(self, finished=finished, by=event.by)
            case _:
                return replace(self, step=self.step.after(event, now))

    def _without(self, trial: TrialLabel) -> tuple[tuple[Active, Meter], ...]:
        return tuple(each for each in self.active if each[0].trial != trial)


def _after(active: Active, meter: Meter, report: TrialReported, now: float) -> tuple[Active, Meter]:
    """A trial in progress, and how far it is, after one more event of a trial."""
    if active.trial != report.trial:
        return active, meter
    meter = meter.after(report.event, now)
    active = replace(active, done=meter.done)
    match report.event:
        case Batch(epoch=epoch, epochs=epochs):
            active = replace(active, epoch=epoch, epochs=epochs)
        case Epoch() as epoch:
            active = replace(active, validated=epoch)
    return active, meter


def lines(descents: Descents, width: int | None) -> list[Text]:
    """The trials that ended, and those in progress."""
    shown = list[Text]()
    if descents.finished:
        rows = [(trial.settings.seed, trial) for trial in descents.finished]
        shown += trials_table(rows, descents.by).lines(width)
    table = NumberTable(*HEADINGS)
    for active, _ in descents.active:
        table.add_row(*active_row(active))
    if descents.active:
        return [*shown, *table.lines(width, first_out=(6,))]
    step = descents.step
    done = "" if step.done is None else f" {step.done:.0%}"
    return [*shown, Text(f"{step.step or 'opening the dense net'}{done}")]


def drive_descents(stream: Stream[T], console: Console) -> T:
    """Run a search to its end: the live table in a terminal, lines in a log."""
    if not console.is_terminal:
        return drain(stream, lambda event: _print(event, console, live=False))
    descents = Descents()

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
            console.print(str(event))
        case TrialReported():
            print_report(event, console, epochs=not live)
        case TrialLost():
            console.print(str(event))
        case TrialFinished(trial=trial) if not live:
            result = trial_result(trial, event.by)
            console.print(f"trial {trial.number}, seed {trial.settings.seed}: {result}")
        case TrialBegan() | TrialOver() | TrialFinished() | Portion():
            pass
        case ScanUpdated() | PointScanned() if live:
            pass
        case _:
            print_event(event, console)
