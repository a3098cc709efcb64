"""Training and fine-tuning recorded as runs: events pass through, checkpoints are stored."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

from core.errors import InputError
from core.events import Epoch, Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.run_record import TRAIN, EpochRecord, RunRecord, TrialRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import WEIGHTS, Run
from core.formats.weights_files import save_early
from core.jobs.report import (
    finetuned_record,
    finetuning_record,
    recipe_json,
    trained_record,
    training_record,
)
from core.jobs.restore import base_of, plan_of, settings_of
from core.jobs.workbench import Net, Workbench
from core.nets.weights import DenseWeights
from core.training.checkpoints import Checkpoint
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult

R = TypeVar("R", FineTuningResult, TrainingResult)


def finetune(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
    search: TrialRecord | None = None,
    allocate: str | None = None,
) -> Stream[FineTuningResult]:
    """Fine-tune as `Workbench.finetune` does, recorded as a run of `experiment`.

    `search` is the trial the run belongs to; `allocate` is that search's allocation method.
    """
    _, precision = yield from workbench.prepared(stop)
    record = finetuning_record(workbench, base, plan, workbench.finetuning, precision)
    writer = yield from _begin(experiment, replace(record, search=search, allocate=allocate))
    stream = workbench.finetune(base, plan, stop, checkpoints=writer is not None)
    return (yield from record_run(stream, writer, partial(finetuned_record, workbench, base, plan)))


def train(
    workbench: Workbench, experiment: Experiment, stop: StopFlag = never
) -> Stream[TrainingResult]:
    """Train a dense net as `Workbench.train` does, recorded as a run of `experiment`."""
    _, precision = yield from workbench.prepared(stop)
    writer = yield from _begin(experiment, training_record(workbench, precision))
    stream = workbench.train(stop, checkpoints=writer is not None)
    return (yield from _record_training(stream, writer, workbench))


def resume(
    workbench: Workbench,
    dense: Net | None,
    run: Run,
    experiment: Experiment,
    stop: StopFlag = never,
) -> Stream[FineTuningResult | TrainingResult]:
    """Resume an interrupted run; it ends with the net it would have produced uninterrupted.

    A run killed during its first epoch starts over from its recorded settings. `dense` is the open
    dense net, from which a fine-tuning may have started; dense training needs none.

    Raises:
        InputError: the run is finished or still running, its files are damaged, its recipe has
            changed since, or see `restore.settings_of`.
    """
    if run.finished:
        raise InputError(f"run {run.id} is {run.status}: there is nothing to resume")
    workbench = workbench.with_settings(settings_of(run, workbench.settings))
    if run.record.kind == TRAIN:
        yield from workbench.splits(stop)
        _check_recipe(run, run.record.training, asdict(workbench.training))
        state, before = _resume_point(run)
        training = workbench.train(stop, checkpoints=True, resume=state)
        return (yield from _record_training(training, experiment.resume(run), workbench, before))
    if dense is None:
        raise InputError(f"run {run.id} is a fine-tuning: open the dense net first")
    plan = plan_of(run, workbench.layer_names)
    base = yield from base_of(workbench, dense, experiment, run)
    _check_recipe(run, run.record.finetuning, recipe_json(workbench.finetuning))
    state, before = _resume_point(run)
    tuning = workbench.finetune(base, plan, stop, checkpoints=True, resume=state)
    report = partial(finetuned_record, workbench, base, plan)
    return (yield from record_run(tuning, experiment.resume(run), report, before))


def _check_recipe(run: Run, recorded: Mapping[str, Any] | None, recipe: Mapping[str, Any]) -> None:
    if recorded != recipe:
        raise InputError(f"run {run.id} was made by another version of its recipe: start a new run")


def _resume_point(run: Run) -> tuple[Mapping[str, Any] | None, tuple[Epoch, ...]]:
    """The state to resume from and the completed epochs; none before the first epoch."""
    saved = run.checkpoint()
    if saved is None:
        return None, ()
    try:
        state = Checkpoint(saved.tensors, saved.record.state or {}).state()
        return state, tuple(Epoch(**row) for row in state["epochs"])
    except (KeyError, TypeError, ValueError) as error:
        fault = f"the checkpoint of run {run.id} is incomplete ({error})"
        raise InputError(f"{fault}: delete the run and start a new one") from error


def _begin(experiment: Experiment, record: RunRecord) -> Stream[RunWriter | None]:
    """Begin a run; None, with a warning, if it cannot be written."""
    try:
        return experiment.begin(record)
    except InputError as error:
        yield Notice(f"this run will not be recorded: {error}", warning=True)
        return None


def _record_training(
    stream: Stream[TrainingResult],
    writer: RunWriter | None,
    workbench: Workbench,
    before: tuple[Epoch, ...] = (),
) -> Stream[TrainingResult]:
    """Record dense training as a run, with the early weights."""
    result = yield from record_run(stream, writer, partial(trained_record, workbench), before)
    if writer is not None and result.run is not None:
        try:
            save_early(writer.folder / WEIGHTS, DenseWeights(result.weights, result.early), {})
        except InputError as error:
            yield Notice(f"the early weights could not be recorded: {error}", warning=True)
    return result


def record_run(
    stream: Stream[R],
    writer: RunWriter | None,
    record_of: Callable[[R], RunRecord],
    before: tuple[Epoch, ...] = (),
) -> Stream[R]:
    """Pass on the events of a training, store its checkpoints and its result as a run.

    A checkpoint or a result that cannot be written causes a warning. If the stream fails or is
    closed, the last checkpoint stays to resume from. `before` are epochs already recorded; without
    a writer nothing is recorded.
    """
    if writer is None:
        return (yield from stream)
    epochs = list(before)
    with writer:
        while True:
            try:
                event = next(stream)
            except StopIteration as end:
                result: R = end.value
                break
            if isinstance(event, Epoch):
                epochs.append(event)
            if not isinstance(event, Checkpoint):
                yield event
                continue
            try:
                writer.checkpoint(event.tensors, map(EpochRecord.of, epochs), event.json)
            except InputError as error:
                yield Notice(f"this epoch could not be recorded: {error}", warning=True)
        try:
            return replace(result, run=writer.finish(result.weights, record_of(result)).id)
        except InputError as error:
            yield Notice(f"the run could not be recorded: {error}", warning=True)
            return replace(result, run=None)
