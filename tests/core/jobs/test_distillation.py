"""Distillation in recorded jobs: said in the run, resumed to the same bits, used by export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.data.batches import Splits
from core.errors import InputError
from core.events import Epoch, drain
from core.executors.packed import PackedNet
from core.experiments.experiment import Experiment
from core.jobs import recorded_jobs
from core.jobs.net import Net
from core.jobs.quantization import quantize
from core.jobs.restore import restore
from core.jobs.resume import resume
from core.jobs.workbench import Workbench
from core.nets.weights import Weights
from core.pruning.plans import Plan
from core.settings.recipe_changes import RecipeChanges
from tests.core.jobs.conftest import Kept, broken_off
from tests.core.training_loops import of_type, recorded, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


def distilling(workbench: Workbench, share: float = 0.9) -> Workbench:
    changes = RecipeChanges(distill=share, epochs=2)
    return workbench.with_settings(replace(workbench.settings, changes=changes))


def test_an_interrupted_run_ends_as_it_would_have(
    workbench: Workbench, base: Net, aggressive: Plan, tmp_path: Path
) -> None:
    chosen = distilling(workbench)
    whole = drain(recorded_jobs.finetune(chosen, base, aggressive, Experiment(tmp_path / "whole")))
    experiment = Experiment(tmp_path / "broken")
    run = broken_off(recorded_jobs.finetune(chosen, base, aggressive, experiment), experiment)
    assert (run.record.finetuning or {})["distill"] == 0.9
    other = replace(base, dense_weights=whole.weights)
    with pytest.raises(InputError, match="distills from another dense net: open that net"):
        drain(resume(workbench, other, run, experiment))
    assert same(drain(resume(workbench, base, run, experiment)).weights, whole.weights)


def test_a_run_without_it_is_one_of_versions_that_did_not_know_it(kept: Kept) -> None:
    assert "distill" not in (kept.run.record.finetuning or {})


def test_shared_values_are_trained_toward_the_net_before(workbench: Workbench, kept: Kept) -> None:
    weights: Weights = kept.result.weights

    def losses(share: float, data: Splits) -> list[float]:
        chosen = distilling(workbench, share)
        chosen._splits = data
        stream = quantize(chosen, weights, 4, epochs=1)
        return [epoch.loss for epoch in of_type(Epoch, recorded(stream)[1])]

    data = drain(workbench.splits())
    other = replace(data, train=replace(data.train, labels=(data.train.labels + 1) % 10))
    assert losses(1.0, data) == losses(1.0, other)
    assert losses(0.0, data) != losses(0.0, other)


def test_a_chain_of_prunings_learns_from_the_net_that_it_began_with(
    workbench: Workbench, base: Net, kept: Kept
) -> None:
    restored = drain(restore(workbench, base, kept.experiment, kept.run)).net
    later = workbench.net(kept.result, workbench.net(kept.result, base))
    for net in (restored, later):
        assert not same(net.weights, base.weights)
        assert net.dense_weights is base.weights
        _, _, dense = PackedNet.of(net).unpacked()
        assert dense is not None
        assert same(dense, base.weights)
    assert base.dense_weights is None
