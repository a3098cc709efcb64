"""Reconstructed nets: recorded, restored, and fine-tuned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.events import Event, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import BaseRecord
from core.experiments.runs import DONE, INTERRUPTED, STOPPED, Run
from core.jobs import recorded_jobs
from core.jobs.net import Net
from core.jobs.restore import restore
from core.jobs.resume import resume
from core.jobs.workbench import Workbench
from core.reconstruction.tasks import LayerReconstructed, layer_notice
from core.settings.recipe_changes import RecipeChanges
from core.training.checkpoints import Checkpoint
from core.training.finetuning import FineTuningResult
from tests.core.training_loops import of_type, recorded, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

PLAN = {"conv1": 0.5, "conv2": 0.0, "conv3": 0.0, "fc1": 0.0, "fc2": 0.9}
"""Few weights to choose, so that it takes no time."""


@pytest.fixture(scope="module")
def fast(workbench: Workbench) -> Workbench:
    """The workbench, with a recipe that starts from the reconstructed net."""
    changes = RecipeChanges(epochs=2, reconstruct=True)
    return workbench.with_settings(replace(workbench.settings, changes=changes))


@pytest.fixture(scope="module")
def last(base: Net, fast: Workbench) -> dict[str, float]:
    """A plan for the last layer alone; those before it have nothing to mend."""
    return dict.fromkeys(fast.layer_names, 0.0) | {"fc2": 0.9}


@pytest.fixture(scope="module")
def tuned(
    fast: Workbench, base: Net, last: dict[str, float], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, FineTuningResult]:
    """A recorded fine-tuning from the reconstructed net; no test changes it."""
    experiment = Experiment(tmp_path_factory.mktemp("tuned"))
    result = drain(recorded_jobs.finetune(fast, base, last, experiment))
    return experiment.newest(), result


def test_a_run_without_training_is_recorded_and_restored(
    fast: Workbench, base: Net, last: dict[str, float], tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    result, events = recorded(recorded_jobs.prune(fast, base, last, experiment))
    (run,) = experiment.runs()
    record, made = run.checked(), result.reconstructed
    assert made is not None
    assert (run.status, record.kind, record.stage) == (DONE, "prune", "reconstructed")
    assert list(record.measured) == ["dense", "pruned", "reconstructed"]
    assert record.accuracy.reconstructed == made.accuracy
    assert record.reconstruction is not None
    assert (record.reconstruction.images, record.reconstruction.seed) == (120, 0)
    assert [layer.name for layer in record.reconstruction.layers] == list(fast.layer_names)
    assert record.layers[-1].kept == 256 == int(run.weights()["fc2.weight"].count_nonzero())
    assert made.masks.revived(run.weights()) == 0
    reports = of_type(LayerReconstructed, events)
    assert [report.number for report in reports] == [1, 2, 3, 4, 5]
    assert layer_notice(reports[-1]) in events
    assert 0 < (reports[-1].error or 0) <= (reports[-1].magnitude or 0)

    restored = drain(restore(fast, base, experiment, run))
    assert (restored.stage, restored.base, restored.plan) == ("reconstructed", base, last)
    assert restored.reconstruction is not None
    assert restored.net.reconstructed
    assert same(restored.reconstruction.weights, made.weights)
    assert same(restored.reconstruction.masks.pruned, made.masks.pruned)
    assert restored.net.accuracy == made.accuracy
    assert restored.pruned == result.accuracy


def test_without_reconstruction_a_run_only_prunes(
    workbench: Workbench, base: Net, last: dict[str, float], tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    result = drain(recorded_jobs.prune(workbench, base, last, experiment))
    record = experiment.newest().checked()
    assert (record.kind, record.stage, record.reconstruction) == ("prune", "pruned", None)
    assert record.accuracy.pruned == result.accuracy
    restored = drain(restore(workbench, base, experiment, experiment.newest()))
    assert (restored.stage, restored.reconstruction) == ("pruned", None)


def test_fine_tuning_starts_from_the_reconstructed_net_and_holds_its_masks(
    tuned: tuple[Run, FineTuningResult], base: Net
) -> None:
    run, result = tuned
    made, record = result.reconstructed, run.checked()
    assert made is not None
    assert same(result.masks.pruned, made.masks.pruned)
    assert made.masks.revived(result.weights) == 0
    assert (result.recipe.method, result.recipe.reconstruct) == ("one-shot", True)
    assert all(epoch.final for epoch in result.epochs)
    assert list(record.measured) == ["dense", "pruned", "reconstructed", "finetuned"]
    assert (record.base, record.accuracy.base) == (BaseRecord(None, base.digest, True), None)
    assert record.accuracy.dense == base.accuracy
    assert record.choices is not None
    assert record.choices.reconstruct


def test_a_net_that_is_given_is_not_made_again(
    workbench: Workbench,
    base: Net,
    last: dict[str, float],
    tuned: tuple[Run, FineTuningResult],
    tmp_path: Path,
) -> None:
    _, before = tuned
    settings = replace(workbench.settings, changes=RecipeChanges(epochs=2, method="gradual"))
    stream = recorded_jobs.finetune(
        workbench.with_settings(settings),
        base,
        last,
        Experiment(tmp_path),
        pruned=before.pruned,
        reconstructed=before.reconstructed,
    )
    result, events = recorded(stream)
    assert not of_type(LayerReconstructed, events)
    assert same(result.weights, before.weights)


def test_a_run_killed_after_an_epoch_resumes_to_the_same_result(
    fast: Workbench,
    base: Net,
    last: dict[str, float],
    tuned: tuple[Run, FineTuningResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class KilledError(Exception):
        pass

    def after_one(state: dict[str, object]) -> Checkpoint:
        checkpoint = whole(state)
        if len(state["epochs"]) > 1:  # type: ignore[arg-type]
            raise KilledError
        return checkpoint

    whole, experiment = Checkpoint.of, Experiment(tmp_path)
    monkeypatch.setattr(Checkpoint, "of", after_one)
    with pytest.raises(KilledError):
        drain(recorded_jobs.finetune(fast, base, last, experiment))
    monkeypatch.undo()
    run = experiment.newest()
    assert (run.status, len(run.record.epochs)) == (INTERRUPTED, 1)
    result = drain(resume(fast, base, run, experiment))
    (one, other), (done,) = (tuned[0].checked(), experiment.runs()[0].checked()), experiment.runs()
    assert same(result.weights, tuned[1].weights)
    assert done.status == DONE
    assert other.measured == one.measured
    assert other.reconstruction is not None
    assert other.reconstruction.images == 120


def test_stopping_keeps_the_layers_done(fast: Workbench, base: Net, tmp_path: Path) -> None:
    experiment, events = Experiment(tmp_path), list[Event]()
    stream = recorded_jobs.prune(
        fast, base, PLAN, experiment, stop=lambda: bool(of_type(LayerReconstructed, events))
    )
    result = drain(stream, events.append)
    made, run = result.reconstructed, experiment.newest()
    assert made is not None
    assert made.stopped
    assert [layer.reason for layer in made.layers] == [
        "",
        "stopped",
        "stopped",
        "stopped",
        "stopped",
    ]
    assert run.status == STOPPED
    assert run.checked().layers[-1].kept == 256
