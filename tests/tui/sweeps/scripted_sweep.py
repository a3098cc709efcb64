"""A scripted sweep: four trials, of which two end, and the others wait for the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import sleep

from core.events import Accuracy, Epoch, Event, StopFlag, Stream
from core.experiments.run_record import FINETUNE, RunRecord, StageAccuracies
from core.sweep.live.events import (
    SweepPlanned,
    SweepProgress,
    SweepResult,
    TrialBegan,
    TrialEnded,
    TrialLabel,
    TrialOutcome,
    TrialProgress,
    TrialReported,
    TrialStopping,
)
from core.sweep.live.folder import SweepFolder
from tests.tui.scripted import Scripted

TRIALS = tuple(
    TrialLabel(number, f"{ratio}x lamp", seed)
    for number, (ratio, seed) in enumerate(((10, 0), (10, 1), (20, 0), (20, 1)), 1)
)
FIRST, SECOND, THIRD, FOURTH = TRIALS


def record(ratio: float, validation: float, *, stopped: bool = False) -> RunRecord:
    accuracy = StageAccuracies(finetuned=Accuracy(validation, validation - 0.1))
    return RunRecord(kind=FINETUNE, ratio=ratio, accuracy=accuracy, stopped=stopped)


EVENTS: tuple[Event, ...] = (
    SweepPlanned(TRIALS, recorded=1),
    TrialEnded(TrialOutcome(FIRST, record(10.0, 99.2), "0001")),
    TrialBegan(SECOND, "0002", 10.0, resumed=False),
    TrialEnded(TrialOutcome(SECOND, record(10.0, 98.9), "0002", is_new=True)),
    TrialBegan(THIRD, "0003", 20.0, resumed=False),
    TrialReported(THIRD, Epoch(1, 0.1, 98.5, 1.0, 0.9, True, 0)),
    SweepProgress((TrialProgress(THIRD, 0.5, 2, 3),)),
)
DONE = TrialEnded(TrialOutcome(THIRD, record(20.0, 98.6, stopped=True), "0003", is_new=True))


@dataclass
class Sweeping(Scripted):
    """A backend whose sweep waits until a trial, or all, are to stop.

    Attributes:
        commands: what would start each sweep; None for one that runs already.
    """

    commands: list[Sequence[str] | None] = field(default_factory=list)

    def sweep(
        self, command: Sequence[str] | None, folder: SweepFolder, leaves: StopFlag, stop: StopFlag
    ) -> Stream[SweepResult | None]:
        """Two trials, a third one in progress, and a fourth one that never begins."""
        self.commands.append(command)
        yield from EVENTS
        while not leaves():
            every, numbers = folder.stops()
            if THIRD.number in numbers:
                yield TrialStopping(THIRD)
                yield DONE
            if every or stop() or numbers:
                outcomes = tuple(e.outcome for e in (*EVENTS, DONE) if isinstance(e, TrialEnded))
                return SweepResult(outcomes, (FOURTH,), stopped=not numbers)
            sleep(0.01)
        return None
