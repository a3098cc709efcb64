"""Resume an interrupted run: dense training or fine-tuning, from its last checkpoint."""

from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.events import Epoch, StopFlag, Stream, never, portions, within
from core.experiments.experiment import Experiment
from core.experiments.run_record import PRUNE, TRAIN
from core.experiments.runs import Run
from core.jobs.net import Net
from core.jobs.recorded_jobs import (
    RECONSTRUCTION_COST,
    apply_plan,
    run_finetuning,
    run_pruning,
    run_training,
)
from core.jobs.report import finetuning_json
from core.jobs.restore import base_of, plan_of, settings_of
from core.jobs.workbench import Workbench
from core.training.checkpoints import Checkpoint
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult, PruningResult


def resume(
    workbench: Workbench,
    dense: Net | None,
    run: Run,
    experiment: Experiment,
    stop: StopFlag = never,
) -> Stream[FineTuningResult | TrainingResult | PruningResult]:
    """Resume an interrupted run; it ends with the net it would have produced uninterrupted.

    A run killed during its first epoch, or that has none, starts over from its recorded settings.
    `dense` is the open dense net, from which it may have started; dense training needs none.

    Raises:
        InputError: the run is finished or still running, its files are damaged, its recipe has
            changed since, or see `restore.settings_of`.
    """
    if run.finished:
        raise InputError(f"run {run.id} is {run.status}: there is nothing to resume")
    workbench = workbench.with_settings(settings_of(run, workbench.settings))
    if run.record.kind == TRAIN:
        yield from workbench.splits(stop)
        _check_recipe(run, run.record.training, workbench.training.values())
        state = _state(run)
        return (yield from run_training(workbench, experiment.resume(run), stop, state))
    if dense is None:
        raise InputError(f"run {run.id} is a fine-tuning: open the dense net first")
    plan = plan_of(run, workbench.layer_names)
    base = yield from base_of(workbench, dense, experiment, run)
    if run.record.kind == PRUNE:
        yield from workbench.prepared(stop)
        return (yield from run_pruning(workbench, base, plan, experiment.resume(run), stop))
    recorded, recipe = run.record.finetuning, finetuning_json(workbench.finetuning, base)
    if recorded and recorded.get("teacher") != recipe.get("teacher"):
        raise InputError(
            f"run {run.id} distills from another dense net: open that net with --weights FILE, "
            "then resume the run"
        )
    _check_recipe(run, recorded, recipe)
    return (yield from resume_finetuning(workbench, base, plan, run, experiment, stop))


def resume_finetuning(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    run: Run,
    experiment: Experiment,
    stop: StopFlag = never,
) -> Stream[FineTuningResult]:
    """Resume an interrupted fine-tuning of `base` to `plan`, with the workbench's settings.

    Raises InputError if its checkpoint is damaged, or it is running.
    """
    state, made, pruned = _state(run), None, run.record.measured.get("pruned")
    making, training = portions(RECONSTRUCTION_COST * (state is None), 1 - RECONSTRUCTION_COST)
    if state is None and workbench.finetuning.reconstruct:
        again = yield from within(making, apply_plan(workbench, base, plan, stop, pruned))
        pruned, made = again.accuracy, again.reconstructed
    writer = experiment.resume(run)
    stream = run_finetuning(workbench, base, plan, writer, stop, state, pruned, made)
    return (yield from within(training, stream))


def _check_recipe(run: Run, recorded: Mapping[str, Any] | None, recipe: Mapping[str, Any]) -> None:
    if recorded != recipe:
        raise InputError(f"run {run.id} used another version of its recipe: start a new run")


def saved_checkpoint(run: Run) -> Checkpoint | None:
    """The checkpoint after the last recorded epoch; None before the first.

    Raises InputError if it is damaged or incomplete.
    """
    saved = run.checkpoint()
    if saved is None:
        return None
    checkpoint = Checkpoint(saved.tensors, saved.record.state or {})
    try:
        for epoch in checkpoint.state()["epochs"]:
            Epoch(**epoch)
    except (KeyError, TypeError, ValueError) as error:
        fault = f"the checkpoint of run {run.id} is incomplete ({error})"
        raise InputError(f"{fault}: delete the run and start a new one") from error
    return checkpoint


def _state(run: Run) -> Mapping[str, Any] | None:
    """What a training resumes from; None before its first epoch has ended."""
    checkpoint = saved_checkpoint(run)
    return None if checkpoint is None else checkpoint.state()
