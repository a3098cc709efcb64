"""What every command does after its checks: run a job, show progress, print, write JSON."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from typing import Any, Generic, TypeVar

from rich.console import Console

from core.errors import WorkError
from core.events import Event, Notice, StopFlag, Stream, relayed
from core.executors.events import TrialReported
from core.system.files import write_text
from tui.cli.console import console_for
from tui.cli.exit_status import DONE, FAILED
from tui.cli.progress import drive
from tui.cli.streams import for_report, tell
from tui.system.interruption import Interruption, at_once

T = TypeVar("T")


@dataclass(frozen=True)
class Command(Generic[T]):
    """A command whose input has been checked.

    Attributes:
        show: prints the result and returns the report for `--json`.
        json: the file for the report; `-` is standard output.
        notice: printed on standard error before the work starts.
        drive: runs the work to its end and shows its progress.
        runs_job: a report of a stopped job gives the exit status of the interruption.
    """

    work: Callable[[StopFlag], Stream[T]]
    show: Callable[[T, Console], Mapping[str, Any]]
    json: str | None = None
    notice: str = ""
    drive: Callable[[Stream[T], Console], T] = drive
    runs_job: bool = True

    def perform(self, interruption: Interruption) -> int:
        """Do the work and return the exit status.

        Raises WorkError, after the report, if an error ended the work early.
        """
        if self.notice:
            tell(self.notice)
        console, lost = console_for(self.json), list[Notice]()

        def stopping() -> None:
            by_key = interruption.requests == [SIGINT]
            again = "press Ctrl+C again" if by_key else f"{interruption.reason}; once more"
            console.print(f"stopping ({again} to quit at once)")

        with for_report(self.json):
            with interruption.deferred(stopping, at_once) as stop:
                result = self.drive(_noting(self.work(stop), lost), console)
            report = self.show(result, console)
        write_json(report, self.json)
        if self.runs_job and (error := report.get("error")):
            raise WorkError(error)
        if self.runs_job and report.get("stopped"):
            return interruption.status
        return FAILED if lost else DONE


def _noting(stream: Stream[T], lost: list[Notice]) -> Stream[T]:
    """Pass on the events of a stream; note what could not be stored."""

    def noted(event: Event) -> Iterator[Event]:
        said = event.event if isinstance(event, TrialReported) else event
        if isinstance(said, Notice) and said.lost:
            lost.append(said)
        yield event

    return relayed(stream, noted)


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
