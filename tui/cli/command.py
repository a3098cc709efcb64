"""What every command does once its options are checked: work, show progress, print, write JSON."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any, Generic, TypeVar

from rich.console import Console

from core.events import StopFlag, Stream
from core.system.files import write_text
from tui.cli.progress import drive

T = TypeVar("T")

INTERRUPTED = 130
"""The exit status of a command that was interrupted."""


def _status_of(report: Mapping[str, Any]) -> int:
    return INTERRUPTED if report.get("stopped") else 0


@dataclass(frozen=True)
class Command(Generic[T]):
    """A command that is ready to run: nothing a person typed is left to check.

    Attributes:
        work: runs the job and returns its result.
        show: prints the result and returns the report for `--json`.
        json: where the report is written; `-` is standard output.
        notice: printed on standard error before the work starts.
        status: the exit status for a report.
    """

    work: Callable[[StopFlag], Stream[T]]
    show: Callable[[T, Console], Mapping[str, Any]]
    json: str | None = None
    notice: str = ""
    status: Callable[[Mapping[str, Any]], int] = _status_of

    def perform(self) -> int:
        """Do the work and return the exit status."""
        if self.notice:
            print(self.notice, file=sys.stderr)
        # People read standard error while JSON has standard output to itself.
        console = Console(
            stderr=self.json == "-", highlight=False, soft_wrap=True, markup=False, emoji=False
        )
        with stop_on_interrupt(console) as stop:
            result = drive(self.work(stop), console)
        report = self.show(result, console)
        write_json(report, self.json)
        return self.status(report)


@contextmanager
def stop_on_interrupt(console: Console) -> Iterator[StopFlag]:
    """A stop flag: the first ctrl+c raises it, the second interrupts at once."""
    flag = Flag()

    def stop(_number: int, _frame: object) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()
        console.print("stopping (press ctrl+c again to quit at once)")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield flag.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def write_json(report: Mapping[str, Any], path: str | None) -> None:
    """Write a report to a file, atomically, or to standard output for `-`."""
    if path is None:
        return
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    if path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_text(Path(path), text)
