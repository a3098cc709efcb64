"""Trials of a script: what a fine-tuning says, without its work.

A worker imports this module, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import torch

from core.events import Accuracy, Batch, Epoch, Stream
from core.executors.packed import Begun, Packed, packed
from core.executors.tasks import Task, plain_settings
from core.experiments.run_record import (
    FINETUNE,
    EpochRecord,
    LayerRecord,
    RunRecord,
    StageAccuracies,
)
from core.jobs.net import Net
from core.jobs.recorded_jobs import RecordedTrial
from core.pruning.goals import Goal
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.grid import Grid, Trial
from core.sweep.planning import PlannedTrial
from core.training.checkpoints import Checkpoint

BASE = Net({}, Accuracy(99.0, 99.0), (), 0, digest="none")


@dataclass(frozen=True)
class Script:
    """What every trial says; the work of its task.

    Attributes:
        batches: of each epoch.
        elements: of its weights, in float32.
        copies: of them in a checkpoint.
    """

    epochs: int = 3
    batches: int = 10
    layers: int = 5
    elements: int = 1_000
    copies: int = 4

    def run(self, *_: object) -> Stream[RecordedTrial]:
        """A trial from its beginning to its result."""
        start, epochs = self._record(), []
        weights = {"weight": torch.zeros(self.elements)}
        yield Begun(start)
        for number in range(1, self.epochs + 1):
            for batch in range(1, self.batches + 1):
                yield Batch(number, self.epochs, batch, self.batches, 0.5, 90.0, 1.0)
            epochs.append(Epoch(number, 0.5, 98.0, 1.0, 0.9, True, 0))
            yield epochs[-1]
            if self.copies:
                yield self.checkpoint(epochs)
        accuracy = replace(start.accuracy, finetuned=Accuracy(98.0, 98.0))
        rows = tuple(map(EpochRecord.of, epochs))
        return RecordedTrial(weights, replace(start, accuracy=accuracy, epochs=rows, stopped=False))

    def checkpoint(self, epochs: list[Epoch]) -> Checkpoint:
        """As large as that of a training: weights, those of the best epoch, the optimizer's."""
        tensors = [torch.zeros(self.elements) for _ in range(self.copies)]
        rows = [{name: getattr(epoch, name) for name in Epoch.__slots__} for epoch in epochs]
        return Checkpoint.of({"tensors": tensors, "epochs": rows})

    def _record(self) -> RunRecord:
        layers = tuple(
            LayerRecord(f"layer{number}", 1_000, 0.9, 100, 0.01) for number in range(self.layers)
        )
        accuracy = StageAccuracies(dense=Accuracy(99.0, 99.0))
        return RunRecord(kind=FINETUNE, ratio=10.0, layers=layers, accuracy=accuracy)


SCRIPT = Script()


def run_there(task: Task, *_: Any) -> Iterator[Packed]:
    """In place of the cluster's `run_trial`: without a workbench, which takes images."""
    yield from packed(SCRIPT.run())


def report_there(task: Task, *_: Any) -> Iterator[Packed]:
    """The same of a trial that reports every one of its many batches."""
    with patch("core.executors.packed.PACE", 0.0):
        yield from packed(Script(epochs=1, batches=1_000, copies=0).run())


def planned(count: int) -> tuple[PlannedTrial, ...]:
    """So many trials, a seed each."""
    grid = Grid(PlanAxes((Goal("ratio", 10.0),)), {"seed": tuple(range(count))})
    return tuple(
        PlannedTrial(trial, _task(trial), BASE, None, None) for trial in grid.trials(Settings.of)
    )


def _task(trial: Trial) -> Task:
    return Task(trial.number, plain_settings(trial.settings), BASE.digest, SCRIPT)
