"""Watching a sweep that runs in a process of its own, as a job of the app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import sleep

from core.events import Event, Portion, Progress, StopFlag, Stream, relayed
from core.sweep.live.events import (
    SweepPlanned,
    SweepProgress,
    SweepResult,
    TrialEnded,
    TrialProgress,
)
from core.sweep.live.folder import SweepFolder
from core.sweep.live.process import SweepProcess
from core.sweep.live.watching import watch

PARTS = 10_000
"""Of a sweep, to say how much of it is done."""


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
    """The same, which also says how many trials have ended, and how much of the sweep is done.

    Its pace is measured from when the first trial in progress is watched: trials that are recorded,
    and what happened before, take no time.
    """
    total, ended = 0, 0
    running: tuple[TrialProgress, ...] = ()
    start: float | None = None

    def counted(event: Event) -> Iterator[Event]:
        nonlocal total, ended, running, start
        yield event
        match event:
            case SweepPlanned():
                total = len(event.trials)
            case TrialEnded(outcome=outcome):
                ended += 1
                running = tuple(each for each in running if each.trial != outcome.trial)
            case SweepProgress():
                running = event.trials
            case _:
                return
        if not total:
            return
        done = (ended + sum(trial.done or 0.0 for trial in running)) / total
        if start is None and running:
            start = min(done, 0.99)
            yield Portion(start, 1.0)
        text = f"{ended:,} of {total:,} trials done"
        if start is None:
            yield Progress(text)
        else:
            yield Progress(text, round(PARTS * (done - start) / (1 - start)), PARTS)

    return relayed(stream, counted)
