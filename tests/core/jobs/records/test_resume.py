"""Interrupted runs, also killed ones, resumed."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from core.errors import InputError
from core.events import Batch, Epoch, drain
from core.experiments.experiment import Experiment
from core.experiments.runs import DONE, INTERRUPTED, RUNNING, Run
from core.jobs import recorded_jobs
from core.jobs.net import Net
from core.jobs.restore import restore
from core.jobs.resume import resume
from core.jobs.workbench import Workbench
from core.pruning.plans import Plan
from core.settings.recipe_changes import RecipeChanges
from core.training.dense import TrainingResult
from tests.core.jobs.conftest import Kept, broken_off, changed
from tests.core.training_loops import of_type, recorded, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


def test_a_closed_stream_leaves_its_last_epoch_to_go_on_from(
    kept: Kept, workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recorded_jobs.finetune(workbench, base, aggressive, experiment), experiment)
    assert (run.id, run.status, len(run.record.epochs)) == ("0001", INTERRUPTED, 1)
    resumed = drain(resume(workbench, base, run, experiment))
    assert same(resumed.weights, kept.result.weights)
    done = experiment.find("1")
    assert done.status == DONE
    assert len(done.record.resumed) == 1
    with pytest.raises(InputError, match="run 0001 is done: there is nothing to resume"):
        drain(resume(workbench, base, done, experiment))


@pytest.fixture(scope="module")
def whole(workbench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A dense training that nothing interrupts."""
    return drain(recorded_jobs.train(workbench, Experiment(tmp_path_factory.mktemp("whole"))))


def test_dense_training_goes_on_from_its_last_epoch(
    workbench: Workbench, base: Net, whole: TrainingResult, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recorded_jobs.train(workbench, experiment), experiment)
    assert (run.status, len(run.record.epochs)) == (INTERRUPTED, 1)
    other = workbench.with_settings(
        replace(workbench.settings, changes=RecipeChanges(epochs=9), seed=5)
    )
    result, events = recorded(resume(other, base, run, experiment))
    assert [epoch.epoch for epoch in of_type(Epoch, events)] == [2, 3]
    assert same(result.weights, whole.weights)
    done = experiment.find("1")
    assert (done.status, len(done.record.epochs)) == (DONE, 3)
    restored = drain(restore(workbench, base, experiment, done))
    assert restored.net.early is not None
    assert same(restored.net.early, whole.early)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"training": {"epochs": 4}}, "another version of its recipe"),
        ({"kind": "finetune", "layers": []}, "does not match the layers"),
        ({"protocol": "reference"}, "open it with --protocol reference"),
    ],
)
def test_a_run_that_cannot_be_resumed_says_why(
    workbench: Workbench, base: Net, tmp_path: Path, facts: dict[str, object], said: str
) -> None:
    experiment = Experiment(tmp_path)
    run = broken_off(recorded_jobs.train(workbench, experiment), experiment)
    with pytest.raises(InputError, match=said):
        drain(resume(workbench, base, changed(run, facts), experiment))


KILLED = """
import os, signal, sys
from pathlib import Path
from core.data.batches import Splits
from core.events import Batch, Epoch, drain
from core.experiments.experiment import Experiment
from core.pruning.presets import preset_plan
from core.jobs import recorded_jobs
from core.jobs.dense_net import open_dense_net
from core.jobs.workbench import Workbench
from tests.core.jobs.conftest import settings, small
from tests.digits import in_place_of_mnist

whole = Splits.of
Splits.of = lambda dataset, device: small(dataset, device, whole)
workbench = Workbench(settings(Path(sys.argv[1])))
digits = in_place_of_mnist(Path(sys.argv[1]))
digits.__enter__()
job, kind, count = sys.argv[3], {"Batch": Batch, "Epoch": Epoch}[sys.argv[4]], int(sys.argv[5])
experiment = Experiment(Path(sys.argv[2]))
if job == "finetune":
    plan = preset_plan("aggressive", "cnn5", workbench.layer_names)
    stream = recorded_jobs.finetune(workbench, drain(open_dense_net(workbench)), plan, experiment)
else:
    stream = recorded_jobs.train(workbench, experiment)
for event in stream:
    count -= isinstance(event, kind)
    if not count:
        assert "torch._dynamo" not in sys.modules  # torch's compiler takes a second to import
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(folder: Path, data_dir: Path, job: str, event: str, count: int) -> Run:
    """A recorded job whose process kills itself at its n-th event of a kind."""
    code = [sys.executable, "-c", KILLED, str(data_dir), str(folder), job, event, str(count)]
    child = subprocess.run(code, cwd=Path(__file__).parents[4], check=False)
    assert child.returncode == -signal.SIGKILL
    return Experiment(folder).newest()


@pytest.fixture(scope="module")
def killed_early(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fine-tuning killed in its first epoch; tests work on copies."""
    folder = tmp_path_factory.mktemp("killed")
    killed(folder, data_dir, "finetune", "Batch", 2)
    return folder


def test_a_run_killed_in_its_third_epoch_resumes_to_the_same_result(
    kept: Kept, workbench: Workbench, base: Net, data_dir: Path, tmp_path: Path
) -> None:
    """An epoch is reported before its checkpoint is written, so the third one is lost."""
    run = killed(tmp_path, data_dir, "finetune", "Epoch", 3)
    assert (run.status, len(run.record.epochs)) == (INTERRUPTED, 2)
    resumed = drain(resume(workbench, base, run, Experiment(tmp_path)))
    assert same(resumed.weights, kept.result.weights)
    assert Experiment(tmp_path).newest().status == DONE


def test_a_fine_tuning_killed_in_its_first_epoch_restarts_from_its_settings(
    kept: Kept, workbench: Workbench, base: Net, killed_early: Path, tmp_path: Path
) -> None:
    experiment = Experiment(copytree(killed_early, tmp_path / "copy"))
    run = experiment.newest()
    assert (run.status, run.record.epochs, run.checkpoint()) == (INTERRUPTED, (), None)
    assert run.resumable
    other = workbench.with_settings(
        replace(workbench.settings, changes=RecipeChanges(epochs=9), seed=5)
    )
    result, events = recorded(resume(other, base, run, experiment))
    assert [epoch.epoch for epoch in of_type(Epoch, events)] == [1, 2, 3]
    assert same(result.weights, kept.result.weights)
    (done,) = experiment.runs()
    assert (done.id, done.status, len(done.record.epochs)) == (run.id, DONE, 3)
    assert len(done.record.resumed) == 1
    assert done.record.created == run.record.created


def test_a_dense_training_killed_in_its_first_epoch_restarts(
    workbench: Workbench, whole: TrainingResult, data_dir: Path, tmp_path: Path
) -> None:
    run = killed(tmp_path, data_dir, "train", "Batch", 2)
    assert (run.status, run.record.epochs, run.resumable) == (INTERRUPTED, (), True)
    experiment = Experiment(tmp_path)
    result = drain(resume(workbench, None, run, experiment))
    assert same(result.weights, whole.weights)
    assert experiment.newest().status == DONE


def test_a_restarted_run_left_early_can_be_resumed(
    workbench: Workbench, base: Net, killed_early: Path, tmp_path: Path
) -> None:
    experiment = Experiment(copytree(killed_early, tmp_path / "copy"))
    run = experiment.newest()
    stream = resume(workbench, base, run, experiment)
    while not isinstance(next(stream), Batch):
        pass
    assert experiment.newest().status == RUNNING
    stream.close()
    assert (experiment.newest().status, experiment.newest().resumable) == (INTERRUPTED, True)
