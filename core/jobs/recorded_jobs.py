"""Training, fine-tuning and pruning recorded as runs.

Events pass through, checkpoints are stored.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from core.errors import InputError
from core.events import (
    Accuracy,
    Epoch,
    Event,
    Notice,
    Progress,
    StopFlag,
    Stream,
    never,
    portions,
    relayed,
    within,
)
from core.experiments.experiment import Experiment
from core.experiments.run_record import EpochRecord, RunRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import WEIGHTS
from core.formats.sizes import SIZES_COST
from core.formats.weights_files import save_early
from core.jobs import measurement
from core.jobs.net import Net
from core.jobs.report import (
    finetuned_record,
    finetuning_record,
    pruned_record,
    pruning_record,
    trained_record,
    training_record,
)
from core.jobs.workbench import Workbench
from core.nets.weights import DenseWeights, Weights
from core.reconstruction.measured_net import ReconstructedNet
from core.training.checkpoints import Checkpoint
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult, PruningResult

VISIBLE = 5e-5
"""Half of the last digit of a sparsity in percent, as a fraction."""

RECONSTRUCTION_COST = 0.3
"""The share of a fine-tuning that it takes to reconstruct the net that it starts from, about."""


@dataclass(frozen=True, eq=False)
class RecordedTrial:
    """The result of a job elsewhere: its weights, and the record made there.

    Attributes:
        run: the run that records it here; None if unrecorded.
    """

    weights: Weights = field(repr=False)
    record: RunRecord
    run: str | None = None


R = TypeVar("R", FineTuningResult, TrainingResult, PruningResult, RecordedTrial)


def finetune(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
    goal: str | None = None,
    allocate: str | None = None,
    pruned: Accuracy | None = None,
    reconstructed: ReconstructedNet | None = None,
) -> Stream[FineTuningResult]:
    """Fine-tune as `Workbench.finetune` does, recorded as a run of `experiment`.

    `goal` is what the plan was made for, and `allocate` the method that made it.
    `pruned` is the accuracy of the plan in one shot, if it has been measured. Training starts from
    the net that is `reconstructed` of this base and plan, whatever the recipe says; if the recipe
    asks for one and none is given, it is made first.
    """
    if reconstructed is not None:
        changes = workbench.settings.changes.from_reconstructed()
        workbench = workbench.with_settings(replace(workbench.settings, changes=changes))
    _, precision = yield from workbench.prepared_to_train(stop)
    yield from note_floors(base, plan)
    needed = workbench.finetuning.reconstruct and reconstructed is None
    making, training = portions(RECONSTRUCTION_COST * needed, 1 - RECONSTRUCTION_COST)
    if needed:
        made = yield from within(making, apply_plan(workbench, base, plan, stop, pruned))
        pruned, reconstructed = made.accuracy, made.reconstructed
    record = finetuning_record(
        workbench, base, plan, workbench.finetuning, precision, reconstructed
    )
    record = replace(record, goal=goal, allocate=allocate)
    writer = yield from begin(experiment, record)
    stream = run_finetuning(
        workbench, base, plan, writer, stop, pruned=pruned, reconstructed=reconstructed
    )
    return (yield from within(training, stream))


def prune(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
    pruned: Accuracy | None = None,
    goal: str | None = None,
    allocate: str | None = None,
) -> Stream[PruningResult]:
    """Prune, reconstruct if the recipe says so, and measure; recorded as a run of `experiment`.

    `pruned` is the accuracy of the plan in one shot, if it has been measured; `goal` and `allocate`
    are as in `finetune`. A raised stop flag ends reconstruction early, see
    `measurement.reconstruct`, and a pruning without a result.
    """
    _, precision = yield from workbench.prepared(stop)
    yield from note_floors(base, plan)
    record = pruning_record(workbench, base, plan, precision)
    writer = yield from begin(experiment, replace(record, goal=goal, allocate=allocate))
    return (yield from run_pruning(workbench, base, plan, writer, stop, pruned))


def run_pruning(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    writer: RunWriter | None,
    stop: StopFlag,
    pruned: Accuracy | None = None,
) -> Stream[PruningResult]:
    """Prune from the start; record it with `writer`."""
    stream = with_sizes(workbench, apply_plan(workbench, base, plan, stop, pruned))
    return (yield from record_run(stream, writer, partial(pruned_record, workbench, base, plan)))


def apply_plan(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    stop: StopFlag,
    pruned: Accuracy | None = None,
) -> Stream[PruningResult]:
    """Prune in one shot and measure, unless `pruned` is known; reconstruct if the recipe does."""
    reconstructs = workbench.finetuning.reconstruct
    measuring, making = portions(0.1, 0.9 * reconstructs)
    if not (reconstructs and pruned):
        shot = measurement.prune(workbench, base, plan, stop)
        result = yield from within(measuring, shot)
        if not reconstructs:
            return result
        pruned = result.accuracy
    net = yield from within(making, measurement.reconstruct(workbench, base, plan, stop))
    _, precision = yield from workbench.prepared(stop)
    return PruningResult(net.weights, pruned, net.dead, precision, net)


def with_sizes(workbench: Workbench, stream: Stream[PruningResult]) -> Stream[PruningResult]:
    """The same with the sizes of files."""
    pruning, measuring = portions(1 - SIZES_COST, SIZES_COST)
    result = yield from within(pruning, stream)
    yield measuring
    yield Progress("measuring file sizes")
    return replace(result, sizes=workbench.sizes(result.weights))


def note_floors(base: Net, plan: Mapping[str, float]) -> Stream[None]:
    """Say in which layers the plan asks for less than the base's zeros."""
    if denser := [p.layer.name for p in base.profiles if plan[p.layer.name] < p.floor - VISIBLE]:
        text = f"the plan is below the base's zeros in {', '.join(denser)}: these zeros stay"
        yield Notice(text)


def train(
    workbench: Workbench, experiment: Experiment, stop: StopFlag = never
) -> Stream[TrainingResult]:
    """Train a dense net as `Workbench.train` does, recorded as a run of `experiment`."""
    _, precision = yield from workbench.prepared_to_train(stop)
    writer = yield from begin(experiment, training_record(workbench, precision))
    return (yield from run_training(workbench, writer, stop))


def run_finetuning(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    writer: RunWriter | None,
    stop: StopFlag,
    resume: Mapping[str, Any] | None = None,
    pruned: Accuracy | None = None,
    reconstructed: ReconstructedNet | None = None,
) -> Stream[FineTuningResult]:
    """Fine-tune from the start, or from the state `resume`; record it with `writer`."""
    stream = workbench.finetune(base, plan, stop, writer is not None, resume, pruned, reconstructed)
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


def begin(
    experiment: Experiment, record: RunRecord, *, tidies: bool = True
) -> Stream[RunWriter | None]:
    """Begin a run; if it cannot be written and need not be, None, with a warning."""
    try:
        return experiment.begin(record, tidies=tidies)
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

    def stored(event: Event) -> Iterator[Event]:
        if not isinstance(event, Checkpoint):
            yield event
            return
        epochs = [EpochRecord.of(Epoch(**epoch)) for epoch in event.json["epochs"]]
        try:
            writer.checkpoint(event.tensors, epochs, event.json)
        except InputError as error:
            yield Notice(f"this epoch could not be recorded: {error}", warning=True)

    with writer:
        result = yield from relayed(stream, stored)
        try:
            return replace(result, run=writer.finish(result.weights, record_of(result)).id)
        except InputError as error:
            yield Notice(f"the run could not be recorded: {error}", warning=True, lost=True)
            return replace(result, run=None)
