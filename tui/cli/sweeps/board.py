"""The live table of a sweep: its trials in progress, and those that ended last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from core.events import Batch, Epoch, Event, Notice, Stream, drain
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.progress import Meter
from core.pruning.curves import PointScanned, ScanUpdated
from core.sweep.driver import SweepPlanned, TrialEnded, TrialOutcome
from tui.cli.number_table import NumberTable, terminal_width
from tui.cli.progress import print_event
from tui.system.job_control import releasing
from tui.text.format import count, duration, ratio, score, score_on

T = TypeVar("T")

RECENT = 4
"""Trials that have ended and are still shown."""

DRAWN = 4
"""Times a second that the table is drawn."""


NO_METER = Meter()

HEADINGS = ("plan", "trial", "seed", "epoch", "progress", "validation %", "ratio")
"""Of the table of trials."""


@dataclass(frozen=True, slots=True)
class Active:
    """A trial in progress."""

    trial: TrialLabel
    ratio: float | None = None
    meter: Meter = NO_METER
    epoch: str = ""
    validation: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """What the live table shows, after all events so far.

    Attributes:
        total: the number of trials; 0 while it is not known.
        known: trials that were recorded before the sweep.
        active: the trials in progress, by number.
        ended: outcomes of this sweep, the newest last, as many as are shown.
        new: how many trials this sweep has finished.
        began: when the first of them began.
        step: what happens before the trials.
    """

    total: int = 0
    known: int = 0
    active: tuple[Active, ...] = ()
    ended: tuple[TrialOutcome, ...] = ()
    new: int = 0
    began: float = 0.0
    step: Meter = NO_METER

    def after(self, event: Event, now: float) -> Board:
        """With one more event."""
        match event:
            case SweepPlanned():
                return replace(self, total=len(event.trials), began=now)
            case TrialBegan():
                return replace(
                    self, active=(*self.without(event.trial), Active(event.trial, event.ratio))
                )
            case TrialLost():
                return replace(self, active=self.without(event.trial))
            case TrialReported():
                return replace(self, active=tuple(_after(a, event, now) for a in self.active))
            case TrialEnded() if event.outcome.is_new:
                active = self.without(event.outcome.trial)
                ended = (*self.ended, event.outcome)[-RECENT:]
                return replace(self, active=active, ended=ended, new=self.new + 1)
            case TrialEnded():
                return replace(self, known=self.known + 1)
            case _ if not self.total:
                return replace(self, step=self.step.after(event, now))
            case _:
                return self

    def left(self, now: float) -> float | None:
        """The seconds left at the pace of this sweep so far; None before a trial has got far."""
        done = self.new + sum(active.meter.done or 0.0 for active in self.active)
        rest = self.total - self.known - done
        return rest * (now - self.began) / done if done >= 0.5 else None

    def without(self, trial: TrialLabel) -> tuple[Active, ...]:
        """The trials in progress without one."""
        return tuple(active for active in self.active if active.trial != trial)


def _after(active: Active, event: TrialReported, now: float) -> Active:
    if active.trial != event.trial:
        return active
    active = replace(active, meter=active.meter.after(event.event, now))
    match event.event:
        case Batch(epoch=epoch, epochs=epochs):
            return replace(active, epoch=f"{epoch}/{epochs}")
        case Epoch(validation=validation, images=images):
            return replace(active, validation=score_on(validation, images))
        case _:
            return active


def lines(board: Board, width: int | None, now: float) -> list[Text]:
    """The live table."""
    if not board.total:
        done = "" if board.step.done is None else f" {board.step.done:.0%}"
        return [Text(f"{board.step.step or 'opening the dense net'}{done}")]
    ended = board.known + board.new
    left = board.left(now)
    rest = "" if left is None else f", {duration(left)} left"
    summary = f"{count(ended)} of {count(board.total)} trials done{rest}"
    table = NumberTable(*HEADINGS)
    for outcome in board.ended:
        table.add_row(*_ended_row(outcome))
    for active in board.active:
        table.add_row(*active_row(active))
    rows = [*table.lines(width, first_out=(1,))] if board.active or board.ended else []
    return [*rows, Text(summary)]


def _ended_row(outcome: TrialOutcome) -> tuple[str, ...]:
    trial, record = outcome.trial, outcome.record
    seed, number = str(trial.seed), str(trial.number)
    if record is None or record.stage not in record.measured:
        return trial.group, number, seed, "", "failed", "", ""
    validation = score(record.measured[record.stage], "validation")
    return trial.group, number, seed, "", "done", validation, ratio(record.ratio or 0.0)


def active_row(active: Active) -> tuple[str, ...]:
    """The row of a trial in progress."""
    done = "" if active.meter.done is None else f"{active.meter.done:.0%}"
    seed, number = str(active.trial.seed), str(active.trial.number)
    planned = ratio(active.ratio) if active.ratio else ""
    return active.trial.group, number, seed, active.epoch, done, active.validation, planned


def drive_sweep(stream: Stream[T], console: Console) -> T:
    """Run a sweep to its end: the live table in a terminal, lines in a log."""
    if not console.is_terminal:
        return drain(stream, lambda event: _print(event, console, live=False))
    board = Board()

    def shown() -> Group:
        return Group(*lines(board, terminal_width(console), monotonic()))

    def update(event: Event) -> None:
        nonlocal board
        board = board.after(event, monotonic())
        _print(event, console, live=True)

    live = Live(get_renderable=shown, console=console, transient=True, refresh_per_second=DRAWN)
    with live, releasing(live.stop, live.start):
        return drain(stream, update)


def _print(event: Event, console: Console, *, live: bool) -> None:
    """Print what a log should keep; a live table shows the trials and their epochs itself."""
    match event:
        case SweepPlanned():
            for text in planned_lines(event):
                console.print(text)
        case TrialBegan() if not live:
            run = f", run {event.run}" if event.run else ""
            resumed = " resumed" if event.resumed else ""
            console.print(f"{event.trial}{resumed}{run}")
        case TrialReported():
            print_report(event, console, epochs=not live)
        case TrialLost():
            console.print(f"{event.trial}: its worker was lost: {event.reason}")
        case TrialEnded() if event.outcome.is_new or event.outcome.error:
            console.print(f"{event.outcome.trial}: {ended_text(event.outcome)}")
        case TrialBegan():
            pass
        case ScanUpdated() | PointScanned() if live:
            pass
        case _:
            print_event(event, console)


def print_report(event: TrialReported, console: Console, *, epochs: bool) -> None:
    """Print an event of a trial that a log should keep."""
    match event.event:
        case Notice(text=text, warning=warning):
            console.print(f"{event.trial}: {'warning: ' * warning}{text}")
        case Epoch(epoch=epoch, validation=validation, images=images, seconds=s) if epochs:
            text = f"epoch {epoch}: validation {score_on(validation, images)} %, {s:.1f} s"
            console.print(f"{event.trial}: {text}")


def planned_lines(event: SweepPlanned) -> list[str]:
    """What is recorded already, if anything is."""
    runs = [planned.run for planned in event.trials if planned.twin is None and planned.run]
    whole = sum(run.finished for run in runs)
    resumed = sum(run.resumable for run in runs)
    total = f"of {count(len(event.trials))} trials"
    return [
        *([f"{count(whole)} {total} are recorded already"] if whole else []),
        *([f"{count(resumed)} {total} resume after their last epoch"] if resumed else []),
    ]


def ended_text(outcome: TrialOutcome) -> str:
    """How a trial ended."""
    record = outcome.record
    if record is None or (accuracy := record.measured.get(record.stage)) is None:
        return f"failed: {outcome.error}"
    accuracies = f"validation {score(accuracy, 'validation')} %, test {score(accuracy)} %"
    early = f", stopped early: {outcome.error}" if outcome.error else ""
    return f"{ratio(record.ratio or 0.0)}, {accuracies}{early}"
