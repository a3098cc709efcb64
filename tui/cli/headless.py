"""The jobs without a screen: a rich progress display, plain lines in a log, JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from core.errors import InputError
from core.events import Batch, Epoch, Event, Measured, Notice, StopFlag, Stream, drain
from core.events import Progress as Step
from core.experiments.run_record import TRAIN, RunRecord, report_json
from core.experiments.runs import STOPPED, WEIGHTS, Run
from core.jobs.search import Tried, Trying
from core.nets.footprint import BYTES_PER_VALUE, COUNTED, MIB
from core.pruning.curves import ScanUpdated
from core.system.files import write_text
from tui.text.format import count, percent, without_dead
from tui.text.lines import clean

T = TypeVar("T")


def console_for(json_path: str | None) -> Console:
    """Where people read: standard error while JSON has standard output for itself."""
    return Console(stderr=json_path == "-", highlight=False, soft_wrap=True)


def drive(stream: Stream[T], console: Console) -> T:
    """Run a stream to its end and show how it goes."""
    if not console.is_terminal:
        return drain(stream, lambda event: _tell(event, console))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("so far,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        shown = _Shown(progress)
        return drain(stream, shown.take)


class _Shown:
    """One bar: of the training while there is one, of the present step otherwise."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._what = ""
        self._task = progress.add_task("", total=None, note="")

    def take(self, event: Event) -> None:
        """Move the bar; lines that stay go above it."""
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
    """The lines that stay: what a log wants to keep."""
    match event:
        case Notice():
            console.print(("warning: " if event.warning else "") + event.text, markup=False)
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
        case Tried():
            console.print(event.text)
        case Trying():
            known = f", good up to {event.good:.1f}x" if event.good else ""
            known += f", not from {event.bad:.1f}x on" if event.bad else ""
            console.print(
                f"trial {event.number} of at most {event.trials}: {event.ratio:.1f}x{known}"
            )
        case ScanUpdated():
            most = max((point.images for point in event.scan.points()), default=0)
            console.print(
                f"scanned: up to {count(most)} of {count(event.scan.images)} images a point"
            )


@contextmanager
def stop_on_interrupt(console: Console) -> Iterator[StopFlag]:
    """A stop flag that the first ctrl+c raises; the second interrupts at once."""
    flag = Flag()

    def stop(_number: int, _frame: object) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()
        console.print("stopping (ctrl+c again leaves at once)")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield flag.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def check_writable(path: str | None) -> None:
    """Raise InputError now where a result could not be written to `path` in the end."""
    if path in (None, "-"):
        return
    target = Path(path)
    if os.path.isdir(target):
        raise InputError(f"cannot write {target}: it is a folder; give the path of a file")
    if not os.path.isdir(target.parent):
        raise InputError(f"cannot write {target}: the folder {target.parent} does not exist")
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"cannot write {target}: no permission to write in {target.parent}")


def write_json(report: Mapping[str, Any], path: str | None) -> None:
    """Write a report to a file, whole or not at all, or to standard output for `-`."""
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    if path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    elif path is not None:
        write_text(Path(path), text)


def report_run(
    record: RunRecord, experiment: Path, run_id: str | None, json_path: str | None, console: Console
) -> int:
    """Print a finished run, write its JSON, and return the exit status."""
    if record.kind == TRAIN and run_id is not None:
        print_trained(record, experiment / run_id / WEIGHTS, console)
    else:
        print_run(record, console)
        if run_id is not None:
            console.print(f"recorded as {experiment}:{run_id}", markup=False)
    place = {"experiment": str(experiment), "run": run_id}
    write_json({**report_json(record), **place}, json_path)
    return 130 if record.stopped else 0


def report_nothing_to_resume(run: Run, json_path: str | None) -> int:
    """Say that a run is finished, write its JSON, and return the exit status."""
    experiment = run.folder.parent
    early = ", stopped early" if run.status == STOPPED else ""
    text = f"run {run.id} of {experiment} is done{early}: there is nothing to resume"
    console_for(json_path).print(text, markup=False)
    place = {"experiment": str(experiment), "run": run.id}
    write_json({**report_json(run.record), **place}, json_path)
    return 0


def print_run(record: RunRecord, console: Console) -> None:
    """Print what a person wants to know of a finished fine-tuning."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("layer")
    for name in ("weights", "sparsity %", "kept", "threshold"):
        table.add_column(name, justify="right")
    for layer in record.layers:
        sparsity = None if layer.sparsity is None else 100 * layer.sparsity
        table.add_row(
            clean(layer.name),
            _shown(count, layer.elements),
            _shown(percent, sparsity),
            _shown(count, layer.kept),
            _shown("{:.5f}".format, layer.threshold),
        )
    console.print(table)
    parameters, nonzero = record.parameters or 0, record.nonzero or 0
    dense, pruned = (BYTES_PER_VALUE * n / MIB for n in (parameters, nonzero))
    lighter = f"{record.ratio:.2f}x lighter" if record.ratio else "nothing is left"
    console.print(
        f"{count(nonzero)} of {count(parameters)} parameters, "
        f"{dense:.3f} -> {pruned:.3f} MiB ({COUNTED}): {lighter}"
    )
    dead, left = sum((record.dead or {}).values()), record.nonzero_without_dead
    if dead and left is not None and record.parameters_without_dead is not None:
        console.print(without_dead(dead, left, record.parameters_without_dead))
    stages = (f"{stage} {percent(it.test)}" for stage, it in record.accuracy.measured.items())
    labels = " (reference protocol: chosen on test)" * (record.protocol == "reference")
    console.print(f"test accuracy %: {', '.join(stages)}{labels}")
    early = _early(record)
    if record.best is None:
        early += ": pruned the rest of the way, not trained at the full plan"
    console.print(f"revived weights: {record.revived}; seed {record.seed}{early}")


def print_trained(record: RunRecord, weights: Path, console: Console) -> None:
    """Print what a person wants to know of a dense net."""
    text = f"best epoch {record.best}{_early(record)}; weights in {weights}"
    console.print(text, markup=False)


def _early(record: RunRecord) -> str:
    return ", stopped early" if record.stopped else ""


def _shown(text: Callable[[T], str], value: T | None) -> str:
    return "–" if value is None else text(value)
