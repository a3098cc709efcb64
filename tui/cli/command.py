"""What every command does after its checks: run a job, show progress, print, write JSON."""

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

from core.errors import WorkError
from core.events import StopFlag, Stream
from core.system.files import write_text
from tui.cli.exit_status import DONE, INTERRUPTED
from tui.cli.progress import drive

T = TypeVar("T")


@dataclass(frozen=True)
class Command(Generic[T]):
    """A command whose input has been checked.

    Attributes:
        show: prints the result and returns the report for `--json`.
        json: the file for the report; `-` is standard output.
        notice: printed on standard error before the work starts.
        runs_job: a report of a stopped job makes the exit status INTERRUPTED.
    """

    work: Callable[[StopFlag], Stream[T]]
    show: Callable[[T, Console], Mapping[str, Any]]
    json: str | None = None
    notice: str = ""
    runs_job: bool = True

    def perform(self) -> int:
        """Do the work and return the exit status.

        Raises WorkError, after the report, if an error ended the work early.
        """
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
        if self.runs_job and (error := report.get("error")):
            raise WorkError(error)
        return INTERRUPTED if self.runs_job and report.get("stopped") else DONE


@contextmanager
def stop_on_interrupt(console: Console) -> Iterator[StopFlag]:
    """A stop flag: the first Ctrl+C sets it, the second raises KeyboardInterrupt."""
    flag = Flag()

    def stop(_number: int, _frame: object) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()
        console.print("stopping (press Ctrl+C again to quit at once)")

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
        print(text, end="", flush=True)
    else:
        write_text(Path(path), text)
