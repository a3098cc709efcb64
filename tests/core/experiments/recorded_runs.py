"""What the tests of experiments share: runs with weights to tell them by, other processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from core.experiments.experiment import Experiment
from core.experiments.runs import Run
from core.nets.weights import Weights

REPOSITORY = Path(__file__).parents[3]
RUN, WEIGHTS, CHECKPOINT = "run.json", "weights.safetensors", "checkpoint.safetensors"
FACTS = {"model": "cnn5", "epochs": []}


def filled(value: float) -> Weights:
    return {"fc.weight": torch.full((30, 10), float(value)), "fc.bias": torch.tensor(float(value))}


def values(weights: Weights) -> set[float]:
    return {value for tensor in weights.values() for value in tensor.flatten().tolist()}


def finished(experiment: Experiment, value: float = 1.0, **facts: Any) -> Run:
    return experiment.begin(FACTS).finish(filled(value), facts)


def interrupted(experiment: Experiment, epoch: int = 1) -> Run:
    with experiment.begin(FACTS) as writer:
        writer.checkpoint(filled(epoch), {"epoch": epoch})
    return experiment.find(writer.id)


def python(code: str, *args: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
