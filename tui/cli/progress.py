"""How a job goes, for those who watch the command line: a progress bar, or plain lines in a log."""

from __future__ import annotations

from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from core.events import Batch, Epoch, Event, Measured, Notice, Stream, drain
from core.events import Progress as Step
from core.jobs.search import TrialFinished, TrialStarted
from core.pruning.curves import ScanUpdated
from tui.text.format import count, percent

T = TypeVar("T")


def drive(stream: Stream[T], console: Console) -> T:
    """Run a stream to its end and show its progress."""
    if not console.is_terminal:
        return drain(stream, lambda event: _tell(event, console))
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("so far,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        shown = _Shown(progress)
        return drain(stream, shown.take)


class _Shown:
    """One bar: the training's while there is one, otherwise the current step's."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._what = ""
        self._task = progress.add_task("", total=None, note="")

    def take(self, event: Event) -> None:
        """Move the bar; permanent lines go above it."""
        match event:
            case Step():
                note = f"{event.unit}" if event.total else ""
                self._move(event.step, event.done, event.total, note)
            case Batch():
                done = (event.epoch - 1) * event.images + event.seen
                note = f"epoch {event.epoch} of {event.epochs}, loss {event.loss:.4f}"
                self._move("train", done, event.epochs * event.images, note)
            case ScanUpdated():
                pass  # the bar says it
            case _:
                _tell(event, self._progress.console)

    def _move(self, what: str, done: int, total: int, note: str) -> None:
        if what != self._what:
            self._what = what
            self._progress.reset(self._task, description=what)
        self._progress.update(self._task, completed=done, total=total or None, note=note)


def _tell(event: Event, console: Console) -> None:
    """Print the permanent lines, the ones a log should keep."""
    match event:
        case Notice():
            console.print(("warning: " if event.warning else "") + event.text)
        case Measured():
            accuracy = event.accuracy
            console.print(
                f"{event.stage}: validation {percent(accuracy.validation)} %, "
                f"test {percent(accuracy.test)} %"
            )
        case Epoch():
            line = f"epoch {event.epoch}: loss {event.loss:.4f}, "
            line += f"validation {percent(event.validation)} %, {event.seconds:.1f} s"
            if event.sparsity:
                line += f", sparsity {percent(100 * event.sparsity)} %, revived {event.revived}"
            console.print(line)
        case TrialFinished():
            console.print(event.text)
        case TrialStarted():
            known = f", {event.good:.1f}x passed" if event.good else ""
            known += f", {event.bad:.1f}x was too much" if event.bad else ""
            console.print(
                f"trial {event.number} (at most {event.trials}): {event.ratio:.1f}x{known}"
            )
        case ScanUpdated():
            most = max((point.images for point in event.scan.points()), default=0)
            console.print(
                f"scanned: up to {count(most)} of {count(event.scan.images)} images per point"
            )
