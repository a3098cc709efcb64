"""The progress of a job on the command line: a bar in a terminal, plain lines in a log."""

from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from core.events import Batch, Epoch, Event, Measured, Notice, Stream, drain
from core.events import Progress as Step
from core.jobs.search import TrialFinished, TrialStarted
from core.pruning.curves import ScanUpdated
from tui.system.job_control import releasing
from tui.text.format import count, percent, score, score_on, trial_result

T = TypeVar("T")


def drive(stream: Stream[T], console: Console) -> T:
    """Run a stream to its end and show its progress."""
    if not console.is_terminal:
        return drain(stream, lambda event: _print(event, console))
    bar = "{task.description}", BarColumn(), TaskProgressColumn()
    times = TimeElapsedColumn(), "elapsed,", TimeRemainingColumn(), "left"
    columns = (*bar, *times, "{task.fields[note]}")
    with (
        Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress,
        releasing(progress.stop, progress.start),  # the shell gets its cursor back
    ):
        return drain(stream, _Bar(progress).update)


class _Bar:
    """One bar: for the training if there is one, otherwise for the current step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._title = ""
        self._task = progress.add_task("", total=None, note="")

    def update(self, event: Event) -> None:
        """Move the bar, or print a permanent line above it."""
        match event:
            case Step():
                self._move(event.step, event.done, event.total, event.unit if event.total else "")
            case Batch():
                images = (event.epoch - 1) * event.images + event.seen
                note = f"epoch {event.epoch} of {event.epochs}, loss {event.loss:.4f}"
                self._move("train", images, event.epochs * event.images, note)
            case ScanUpdated():
                pass  # the bar shows it
            case _:
                _print(event, self._progress.console)

    def _move(self, title: str, done: int, total: int, note: str) -> None:
        if title != self._title:
            self._title = title
            self._progress.reset(self._task, description=title)
        self._progress.update(self._task, completed=done, total=total or None, note=note)


def _print(event: Event, console: Console) -> None:
    """Print an event that a log should keep."""
    match event:
        case Notice():
            console.print(("warning: " if event.warning else "") + event.text)
        case Measured():
            accuracy = event.accuracy
            console.print(
                f"{event.stage}: validation {score(accuracy, 'validation')} %, "
                f"test {score(accuracy)} %"
            )
        case Epoch():
            validation = score_on(event.validation, event.images)
            line = f"epoch {event.epoch}: loss {event.loss:.4f}, validation {validation} %, "
            line += f"{event.seconds:.1f} s"
            if event.sparsity:
                line += f", sparsity {percent(100 * event.sparsity)} %, revived {event.revived}"
            console.print(line)
        case TrialFinished():
            console.print(trial_result(event.trial))
        case TrialStarted():
            line = f"trial {event.number} of at most {event.trials}: {event.ratio:.1f}x"
            passed = f"{event.good:.1f}x passed" if event.good else ""
            failed = f"{event.bad:.1f}x failed" if event.bad else ""
            bracket = ", ".join(filter(None, (passed, failed)))
            console.print(f"{line} ({bracket})" if bracket else line)
        case ScanUpdated():
            most = max((point.images for point in event.scan.points()), default=0)
            images = f"{count(most)} of {count(event.scan.images)} images per point"
            console.print(f"scanned: up to {images}")
