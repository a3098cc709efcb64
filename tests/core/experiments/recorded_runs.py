"""Helpers of the tests of experiments: runs with distinct weights, other processes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.experiments.experiment import Experiment
from core.experiments.run_record import EpochRecord, RunRecord
from core.experiments.runs import Run
from core.nets.weights import Weights

REPOSITORY = Path(__file__).parents[3]
RUN, WEIGHTS, CHECKPOINT = "run.json", "weights.safetensors", "checkpoint.safetensors"
RECORD = RunRecord(model="cnn5")


def epochs(count: int) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(at, 0.5, 99.0, 1.5, 0.9, True) for at in range(1, count + 1))


def filled(value: float) -> Weights:
    return {"fc.weight": torch.full((30, 10), float(value)), "fc.bias": torch.tensor(float(value))}


def values(weights: Weights) -> set[float]:
    return {value for tensor in weights.values() for value in tensor.flatten().tolist()}


def finished(experiment: Experiment, value: float = 1.0, **more: Any) -> Run:
    return experiment.begin(RECORD).finish(filled(value), replace(RECORD, **more))


def interrupted(experiment: Experiment, epoch: int = 1) -> Run:
    with experiment.begin(RECORD) as writer:
        writer.checkpoint(filled(epoch), epochs(epoch))
    return experiment.find(writer.id)


def python(code: str, *args: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
