"""What a scripted sweep tells: four trials; two have ended, one is in progress, one waits."""

from __future__ import annotations

from core.events import Accuracy, Epoch, Event
from core.executors.events import TrialBegan, TrialLabel, TrialReported
from core.experiments.run_record import FINETUNE, RunRecord, StageAccuracies
from core.sweep.live.events import (
    SweepPlanned,
    SweepProgress,
    SweepResult,
    TrialEnded,
    TrialOutcome,
    TrialProgress,
)

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
OUTCOMES = tuple(e.outcome for e in (*EVENTS, DONE) if isinstance(e, TrialEnded))
RESULT = SweepResult(OUTCOMES, (FOURTH,), stopped=False)
