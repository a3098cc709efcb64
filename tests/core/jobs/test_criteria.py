"""A recipe's criterion decides in every job, is recorded, and survives a resumption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import core
from core.criteria.names import CriterionName
from core.events import drain
from core.experiments.experiment import Experiment
from core.jobs import measurement, recorded_jobs
from core.jobs.goals import plan_for
from core.jobs.net import Net
from core.jobs.report import scan_report
from core.jobs.restore import restore
from core.jobs.resume import resume
from core.jobs.workbench import Workbench
from core.nets.weights import state_dict
from core.pruning.goals import Goal
from core.pruning.plans import Plan, uniform_plan
from core.settings.recipe_changes import RecipeChanges
from tests.core.jobs.conftest import broken_off
from tests.core.training_loops import same

pytestmark = pytest.mark.usefixtures("one_thread")


def ranking_by(workbench: Workbench, criterion: CriterionName, seed: int = 0) -> Workbench:
    changes = RecipeChanges(criterion=criterion, epochs=2)
    return workbench.with_settings(replace(workbench.settings, changes=changes, seed=seed))


def test_what_is_pruned_and_measured_is_what_a_script_prunes(
    workbench: Workbench, base: Net
) -> None:
    plan, chosen = uniform_plan(0.7, workbench.layer_names), ranking_by(workbench, "wanda", seed=3)
    model = workbench.models.uninitialized()
    model.load_state_dict(base.weights)
    data = drain(workbench.splits())
    masks = core.prune(model, plan, criterion="wanda", data=data, seed=3)
    pruned = drain(measurement.pruned_net(chosen, base, plan))
    assert same(state_dict(pruned), masks.apply(base.weights))
    assert drain(measurement.prune(chosen, base, plan)).accuracy == core.evaluate(model, data)
    kept = [profile.what_if(0.7).kept for profile in drain(chosen.profiles(base))]
    assert kept == [masks.kept(layer) for layer in workbench.layers]
    plain = drain(measurement.pruned_net(workbench, base, plan))
    assert not same(state_dict(plain), state_dict(pruned))


def test_a_ranking_is_computed_once_for_a_base(workbench: Workbench, base: Net) -> None:
    chosen = ranking_by(workbench, "taylor")
    one, two = (drain(chosen.ranking(base.weights, base.digest)) for _ in range(2))
    assert one is two
    other = drain(ranking_by(workbench, "random").ranking(base.weights, base.digest))
    assert other is not one
    assert drain(workbench.ranking(base.weights, base.digest)).weights is base.weights


@pytest.mark.slow
def test_goals_and_scans_are_those_of_the_criterion(
    workbench: Workbench, base: Net, tmp_path: Path
) -> None:
    chosen, experiment = ranking_by(workbench, "wanda"), Experiment(tmp_path)
    plans = [
        drain(plan_for(each, base, Goal("ratio", 12), "lamp", {"conv1": 0.3}, experiment))
        for each in (workbench, chosen)
    ]
    assert plans[0] != plans[1]
    assert plans[0]["conv1"] == plans[1]["conv1"] == 0.3
    scans = [
        drain(measurement.scan(each, base.weights, sparsities=(0.9,)))
        for each in (workbench, chosen)
    ]
    assert scans[0].layers != scans[1].layers
    repaired = chosen.with_settings(replace(chosen.settings, repair="reconstruct"))
    said = [scan_report(each, scans[1]).get("reconstruction") for each in (chosen, repaired)]
    assert said == [None, {"images": len(drain(chosen.splits()).train), "seed": 0}]
    assert workbench.data_name != chosen.data_name != ranking_by(workbench, "wanda", 1).data_name


@pytest.mark.slow
def test_an_interrupted_run_ends_as_it_would_have(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    chosen = ranking_by(workbench, "obs")  # which ranks by the base's Gram matrices throughout
    whole = drain(recorded_jobs.finetune(chosen, base, aggressive, Experiment(tmp_path / "whole")))
    experiment = Experiment(tmp_path / "broken")
    run = broken_off(recorded_jobs.finetune(chosen, base, aggressive, experiment), experiment)
    assert (run.record.finetuning or {})["criterion"] == "obs"
    resumed = drain(resume(workbench, base, run, experiment))
    assert same(resumed.weights, whole.weights)
    assert all(
        torch.equal(whole.masks.pruned[key], resumed.masks.pruned[key])
        for key in whole.masks.pruned
    )
    restored = drain(restore(workbench, base, experiment, experiment.find("1")))
    assert restored.settings.changes.criterion == "obs"
