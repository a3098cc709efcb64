"""Trials in processes: the same nets as here, whoever is killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.events import Epoch, Event, drain
from core.executors.events import TrialReported
from core.executors.in_process import InProcess
from core.executors.packed import PackedNet
from core.executors.processes import Processes
from core.executors.ray_cluster.executor import sent_sources
from core.executors.runner import TaskRunner
from core.executors.tasks import Executor, Task, plain_settings
from core.executors.work.fine_tuning import FineTuning
from core.experiments.experiment import Experiment
from core.jobs.workbench import Workbench
from core.sweep.live.events import SweepResult
from tests.core.sweep.faults import Faults, kill_one
from tests.core.sweep.own_net import Place, nets

pytestmark = pytest.mark.slow


def test_processes_make_the_same_nets_and_a_killed_one_loses_nothing(
    place: Place, bench: Workbench, here: dict[int | None, str | None]
) -> None:
    executor = Processes(2, threads=1)
    faults = Faults(lambda: kill_one([executor._workers[0].process.pid or 0]))
    experiment, result = place.sweep(bench, executor, faults)
    assert nets(experiment) == here
    assert faults.lost == 1
    assert [outcome.error for outcome in result.outcomes] == ["", ""]
    assert executor._workers == []


def test_a_trial_that_is_stopped_keeps_an_epoch_at_the_full_plan(
    place: Place, bench: Workbench
) -> None:
    experiment, result = stopped_after(2, place, bench, Processes(1, threads=1))
    (outcome,) = result.outcomes
    assert (outcome.stopped, outcome.error, result.stopped) == (True, "", False)
    assert [run.status for run in experiment.runs()] == ["stopped"]


def test_a_trial_that_is_stopped_before_the_full_plan_can_go_on(
    place: Place, bench: Workbench
) -> None:
    experiment, result = stopped_after(1, place, bench, InProcess(bench))
    assert (result.outcomes, [trial.number for trial in result.unfinished]) == ((), [1])
    (run,) = experiment.runs()
    assert (run.status, len(run.record.epochs)) == ("interrupted", 1)


def stopped_after(
    epoch: int, place: Place, bench: Workbench, executor: Executor
) -> tuple[Experiment, SweepResult]:
    """A sweep of one trial that is stopped after an epoch; the second one is at the full plan."""
    stops = set[int]()

    def sink(event: Event) -> None:
        if isinstance(event, TrialReported) and isinstance(event.event, Epoch):
            assert event.event.final == (event.event.epoch >= 2)
            stops.update({event.trial.number} if event.event.epoch == epoch else ())

    return place.sweep(bench, executor, sink, (0,), stops=lambda: stops)


def test_only_code_that_the_user_names_by_its_file_travels(place: Place) -> None:
    """With the modules beside it that it imports; that of a package has to be there."""
    assert list(sent_sources(place.model)) == ["own.py", "own_width.py"]
    for model in ("cnn5", "torchvision.models:resnet18", "tests.core.user_nets:Net"):
        assert not sent_sources(model)


def test_the_code_of_a_net_travels_as_text(place: Place, bench: Workbench, tmp_path: Path) -> None:
    """A worker that lacks the files writes them, and the record names the user's own path."""
    from core.jobs.dense_net import open_dense_net
    from core.nets.user_code.sources import source_texts

    base = drain(open_dense_net(bench))
    sources = source_texts(place.model)
    assert list(sources) == ["own.py", "own_width.py"]
    settings = plain_settings(replace(place.settings, weights=None)) | {"model": "gone/own.py:Net"}
    plan = {layer.name: 0.5 for layer in bench.layers}
    work = FineTuning(plan, "", "gone/own.py:Net", place.settings.dataset)
    task = Task(1, settings | {"epochs": 0}, base.digest, work, sources)
    result = drain(TaskRunner().run(task, PackedNet.of(base)))
    assert result.record.model == "gone/own.py:Net"
    assert result.record.accuracy.pruned is not None
