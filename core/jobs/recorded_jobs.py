"""Training and fine-tuning recorded as runs: events pass through, checkpoints are stored."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from core.errors import InputError
from core.events import Accuracy, Epoch, Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.run_record import EpochRecord, RunRecord, TrialRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import WEIGHTS
from core.formats.weights_files import save_early
from core.jobs.report import finetuned_record, finetuning_record, trained_record, training_record
from core.jobs.workbench import Net, Workbench
from core.nets.weights import DenseWeights
from core.training.checkpoints import Checkpoint
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult

VISIBLE = 5e-5
"""Half of the last digit of a sparsity in percent, as a fraction."""

R = TypeVar("R", FineTuningResult, TrainingResult)


def finetune(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
    lightest: TrialRecord | None = None,
    allocate: str | None = None,
    pruned: Accuracy | None = None,
) -> Stream[FineTuningResult]:
    """Fine-tune as `Workbench.finetune` does, recorded as a run of `experiment`.

    `lightest` is the trial the run is; `allocate` is that descent's allocation method.
    `pruned` is the accuracy of the plan in one shot, if it has been measured.
    """
    _, precision = yield from workbench.prepared_to_train(stop)
    if denser := [p.layer.name for p in base.profiles if plan[p.layer.name] < p.floor - VISIBLE]:
        text = f"the plan is below the base's zeros in {', '.join(denser)}: these zeros stay"
        yield Notice(text)
    record = finetuning_record(workbench, base, plan, workbench.finetuning, precision)
    writer = yield from _begin(experiment, replace(record, lightest=lightest, allocate=allocate))
    return (yield from run_finetuning(workbench, base, plan, writer, stop, pruned=pruned))


def train(
    workbench: Workbench, experiment: Experiment, stop: StopFlag = never
) -> Stream[TrainingResult]:
    """Train a dense net as `Workbench.train` does, recorded as a run of `experiment`."""
    _, precision = yield from workbench.prepared_to_train(stop)
    writer = yield from _begin(experiment, training_record(workbench, precision))
    return (yield from run_training(workbench, writer, stop))


def run_finetuning(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    writer: RunWriter | None,
    stop: StopFlag,
    resume: Mapping[str, Any] | None = None,
    pruned: Accuracy | None = None,
) -> Stream[FineTuningResult]:
    """Fine-tune from the start, or from the state `resume`; record it with `writer`."""
    stream = workbench.finetune(base, plan, stop, writer is not None, resume, pruned)
    return (yield from record_run(stream, writer, partial(finetuned_record, workbench, base, plan)))


def run_training(
    workbench: Workbench,
    writer: RunWriter | None,
    stop: StopFlag,
    resume: Mapping[str, Any] | None = None,
) -> Stream[TrainingResult]:
    """Train in the same way; also record the early weights."""
    stream = workbench.train(stop, writer is not None, resume)
    result = yield from record_run(stream, writer, partial(trained_record, workbench))
    if writer is not None and result.run is not None:
        try:
            save_early(writer.folder / WEIGHTS, DenseWeights(result.weights, result.early), {})
        except InputError as error:
            text = f"the early weights could not be recorded: {error}"
            yield Notice(text, warning=True, lost=True)
    return result


def _begin(experiment: Experiment, record: RunRecord) -> Stream[RunWriter | None]:
    """Begin a run; if it cannot be written and need not be, None, with a warning."""
    try:
        return experiment.begin(record)
    except InputError as error:
        if experiment.required:
            raise
        yield Notice(f"this run will not be recorded: {error}", warning=True)
        return None


def record_run(
    stream: Stream[R], writer: RunWriter | None, record_of: Callable[[R], RunRecord]
) -> Stream[R]:
    """Pass on the events of a training, store its checkpoints and its result as a run.

    A checkpoint or a result that cannot be written causes a warning. If the stream fails or is
    closed, the last checkpoint stays to resume from. Without a writer nothing is recorded.
    """
    if writer is None:
        return (yield from stream)
    with writer:
        while True:
            try:
                event = next(stream)
            except StopIteration as end:
                result: R = end.value
                break
            if not isinstance(event, Checkpoint):
                yield event
                continue
            epochs = [EpochRecord.of(Epoch(**epoch)) for epoch in event.json["epochs"]]
            try:
                writer.checkpoint(event.tensors, epochs, event.json)
            except InputError as error:
                yield Notice(f"this epoch could not be recorded: {error}", warning=True)
        try:
            return replace(result, run=writer.finish(result.weights, record_of(result)).id)
        except InputError as error:
            yield Notice(f"the run could not be recorded: {error}", warning=True, lost=True)
            return replace(result, run=None)
