"""The progress of a job on the command line: a bar in a terminal, plain lines in a log."""

from collections.abc import Iterable
from time import monotonic
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeElapsedColumn
from rich.text import Text

from core.events import Batch, Epoch, Event, Measured, Notice, Portion, Stream, drain
from core.events import Progress as Step
from core.lightest.trials import DescentStarted, Trial, TrialFinished, TrialStarted
from core.progress import Meter
from core.pruning.curves import PointScanned, ScanUpdated
from tui.cli.trials_table import trials_table
from tui.system.job_control import releasing
from tui.text.format import count, duration, percent, plural, score, score_on, trial_result

SHOWN_TRIALS = 8
"""The latest trials are above the bar: more would leave a low terminal no room for it."""

T = TypeVar("T")


def drive(stream: Stream[T], console: Console) -> T:
    """Run a stream to its end and show its progress."""
    if not console.is_terminal:
        return drain(stream, lambda event: print_event(event, console))
    bar = "{task.description}", BarColumn(), TaskProgressColumn()
    columns = (*bar, TimeElapsedColumn(), "elapsed{task.fields[left]}", "{task.fields[note]}")
    with (
        _WithTrials(*columns, console=console, transient=True, refresh_per_second=4) as progress,
        releasing(progress.stop, progress.start),  # the shell gets its cursor back
    ):
        return drain(stream, _Bar(progress).update)


class _WithTrials(Progress):
    """A bar below a table of the latest trials on the way to the lightest net, if there are any."""

    table: tuple[Text, ...] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        """The table, then the bar."""
        yield from self.table
        yield from super().get_renderables()


class _Bar:
    """One bar for the whole job, named after its current step."""

    def __init__(self, progress: _WithTrials) -> None:
        self._progress, self._meter = progress, Meter()
        self._task = progress.add_task("", total=None, note="", left="")
        self._trials, self._seed = list[tuple[int, Trial]](), 0

    def update(self, event: Event) -> None:
        """Move the bar, or print a permanent line above it."""
        self._meter = self._meter.after(event, monotonic())
        match event:
            case Step():
                counted = f"{count(event.done)} of {count(event.total)} {event.unit}"
                self._move(event.step, counted if event.total else "")
            case Batch():
                note = f"epoch {event.epoch} of {event.epochs}, loss {event.loss:.4f}"
                self._move("training", note)
            case ScanUpdated() | PointScanned() | Portion():
                pass  # the bar shows it
            case TrialFinished():
                self._trials.append((self._seed, event.trial))
                table = trials_table(self._trials[-SHOWN_TRIALS:], event.by)
                width = self._progress.console.width
                self._progress.table = tuple(table.lines(width))
            case _:
                self._seed = event.seed if isinstance(event, DescentStarted) else self._seed
                print_event(event, self._progress.console)

    def _move(self, title: str, note: str) -> None:
        done, left = self._meter.done, self._meter.left(monotonic())
        self._progress.update(
            self._task,
            description=title,
            completed=done or 0.0,
            total=None if done is None else 1.0,
            note=note,
            left="" if left is None else f", {duration(left)} left",
        )


def print_event(event: Event, console: Console) -> None:
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
        case DescentStarted():
            least = f"at least {percent(event.least)} % on validation"
            console.print(f"seed {event.seed}: the fewest {event.by} with {least}")
        case TrialFinished():
            console.print(trial_result(event.trial, event.by))
        case TrialStarted():
            epochs = plural(event.epochs, "epoch")
            console.print(f"trial {event.number}: {event.ratio:.1f}x, {epochs}")
        case ScanUpdated():
            most = max((point.images for point in event.scan.points()), default=0)
            images = f"{count(most)} of {count(event.scan.images)} images per point"
            console.print(f"scanned: up to {images}")
