"""Watching a sweep that runs in a process of its own, as a job of the app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import sleep

from core.events import Event, Progress, StopFlag, Stream, relayed
from core.sweep.live.events import SweepPlanned, SweepResult, TrialEnded
from core.sweep.live.folder import SweepFolder
from core.sweep.live.process import SweepProcess
from core.sweep.live.watching import watch


def sweep(
    command: Sequence[str] | None, folder: SweepFolder, leaves: StopFlag, stop: StopFlag
) -> Stream[SweepResult | None]:
    """See `tui.jobs.backend.Backend.sweep`."""

    def stops() -> bool:
        return stop() and not leaves()

    def pause(seconds: float) -> bool:
        if not leaves():
            sleep(seconds)
        return leaves()

    if command is not None:
        process = SweepProcess.start(command, folder)
        if (yield from process.begin(stops, pause)):
            return None
    return (yield from _counted(watch(folder, stops, pause)))


def _counted(stream: Stream[SweepResult | None]) -> Stream[SweepResult | None]:
    """The same, which also says how many trials have ended."""
    total, ended = 0, 0

    def counted(event: Event) -> Iterator[Event]:
        nonlocal total, ended
        yield event
        match event:
            case SweepPlanned():
                total = len(event.trials)
                yield Progress("done", ended, total, "trials")
            case TrialEnded():
                ended += 1
                yield Progress("done", ended, total, "trials")

    return relayed(stream, counted)
