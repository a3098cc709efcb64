"""A net of a user's own on a folder of images, and what sweeps of it need."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image

from core.events import Event, StopFlag, drain, never
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.jobs.workbench import Workbench
from core.nets.user_model import build
from core.pruning.goals import Goal
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.driver import TrialStops, run_trials
from core.sweep.grid import Grid
from core.sweep.live.events import SweepResult
from core.sweep.planning import plan_trials
from tests.digits import draw

SOURCE = """
from torch import nn

from own_width import WIDTH


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.BatchNorm2d(4),
            nn.Flatten(),
            nn.Linear(784, WIDTH),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(WIDTH, 10),
        )
"""

EPOCHS = 3
"""A checkpoint of this net is larger than what a pipe holds, so no worker is an epoch ahead."""


@dataclass
class Place:
    """A folder with images, a net of 51,000 parameters in two files, and its weights."""

    folder: Path
    count: int = field(default=0)

    @classmethod
    def made(cls, folder: Path) -> Place:
        (folder / "own.py").write_text(SOURCE, encoding="utf-8")
        (folder / "own_width.py").write_text("WIDTH = 64\n", encoding="utf-8")
        (folder / "other.py").write_text(
            "TOKEN = 'the net does not import this'\n", encoding="utf-8"
        )
        for number, (image, label) in enumerate(zip(*draw(240, seed=0), strict=True)):
            (folder / "images" / str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / "images" / str(label) / f"{number}.png")
        place = cls(folder)
        torch.manual_seed(0)
        torch.save(build(place.model).state_dict(), folder / "dense.pt")
        return place

    @property
    def model(self) -> str:
        return f"{self.folder / 'own.py'}:Net"

    @property
    def settings(self) -> Settings:
        return Settings.of(
            {
                "model": self.model,
                "dataset": f"folder:{self.folder / 'images'}",
                "weights": self.folder / "dense.pt",
                "channels": 1,
                "precision": "fp32",
                "threads": 1,
                "epochs": EPOCHS,
            }
        )

    def sweep(
        self,
        workbench: Workbench,
        executor: Executor,
        sink: Callable[[Event], object] = lambda event: None,
        seeds: tuple[int, ...] = (0, 1),
        stop: StopFlag = never,
        stops: TrialStops = tuple,
    ) -> tuple[Experiment, SweepResult]:
        """Run 4x with every seed in an experiment of its own."""
        self.count += 1
        experiment = Experiment(self.folder / f"experiment-{self.count}")
        trials = Grid(PlanAxes((Goal("ratio", 4.0),)), {"seed": seeds}).trials(
            lambda given: Settings.of({**vars_of(workbench.settings), **given})
        )
        planned = drain(plan_trials(workbench, trials, {}, experiment, never))
        return experiment, drain(run_trials(planned, experiment, executor, stop, stops), sink)


def vars_of(settings: Settings) -> dict[str, object]:
    """The settings by name."""
    from core.executors.tasks import plain_settings

    plain = plain_settings(settings)
    return {**plain, "weights": settings.weights}


def nets(experiment: Experiment) -> dict[int | None, str | None]:
    """The digests of the nets of an experiment, by seed; one run a seed."""
    runs = experiment.runs()
    digests = {run.record.seed: run.record.weights for run in runs}
    assert len(digests) == len(runs)
    assert {run.status for run in runs} == {"done"}
    return digests


def processes_with(marker: str, command: str) -> list[int]:
    """The processes that were started with a variable in their environment, by their command."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                environment = (folder / "environ").read_bytes()
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if marker.encode() in environment and command.encode() in line:
                found.append(int(folder.name))
    return found
