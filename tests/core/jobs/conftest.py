"""A workbench on a few digits and a recorded fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from core.data.batches import Splits
from core.data.splits import Dataset
from core.events import Epoch, Stream, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import read_record, record_json
from core.experiments.runs import Run
from core.jobs import recorded_jobs
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.pruning.plans import Plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.training.finetuning import FineTuningResult
from tests.core.conftest import head

CHANGES = RecipeChanges(epochs=3)


def small(dataset: Dataset, device: object, whole: Callable[..., Splits]) -> Splits:
    """The first images of each split."""
    data = whole(dataset, device)
    return Splits(head(data.train, 120), head(data.validation, 100), head(data.test, 100))


def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, precision="fp32", changes=CHANGES, threads=1)


@pytest.fixture(scope="module")
def workbench(data_dir: Path) -> Iterator[Workbench]:
    whole, threads = Splits.of, torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield Workbench(settings(data_dir))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(workbench: Workbench) -> Net:
    return drain(open_dense_net(workbench))


@dataclass
class Kept:
    """A recorded fine-tuning and its experiment."""

    experiment: Experiment
    plan: Plan
    result: FineTuningResult

    @property
    def run(self) -> Run:
        return self.experiment.find(self.result.run or "")


@pytest.fixture(scope="module")
def kept(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """A run that no test changes."""
    experiment = Experiment(tmp_path_factory.mktemp("kept"))
    result = drain(recorded_jobs.finetune(workbench, base, aggressive, experiment))
    return Kept(experiment, aggressive, result)


def broken_off(stream: Stream[object], experiment: Experiment) -> Run:
    """A training interrupted after its first epoch."""
    while not isinstance(next(stream), Epoch):
        pass
    next(stream)  # the checkpoint is written before the next event
    stream.close()
    return experiment.newest()


def changed(run: Run, said: dict[str, object]) -> Run:
    """A run with a modified file."""
    record, faults = read_record({**record_json(run.record), **said}, "run.json")
    return replace(run, record=record, faults=faults)
