"""A net pruned to a plan and fine-tuned: what becomes a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from core.events import Event, StopFlag, Stream, portions, relayed, within
from core.executors.packed import Begun, PackedCheckpoint
from core.experiments.experiment import environment
from core.experiments.run_record import RunRecord, TrialRecord
from core.jobs.net import Net
from core.jobs.recorded_jobs import (
    RECONSTRUCTION_COST,
    RecordedTrial,
    apply_plan,
    note_floors,
    with_sizes,
)
from core.jobs.report import finetuned_record, finetuning_record, pruned_record, pruning_record
from core.jobs.workbench import Workbench


@dataclass(frozen=True, slots=True, eq=False)
class FineTuning:
    """Prune and fine-tune as the command `run` does, without training if there are no epochs.

    Attributes:
        plan: a sparsity for each layer.
        method: the method that turned a goal into the plan; empty if none did.
        model, dataset: as the user named them; a node may have them elsewhere.
        lightest: the trial it is, if part of a descent to the lightest net.
        resume: the state after its last epoch; None to start at the beginning.
    """

    plan: Mapping[str, float]
    method: str
    model: str
    dataset: str
    lightest: TrialRecord | None = None
    resume: PackedCheckpoint | None = None

    def run(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[RecordedTrial]:
        """Prune and fine-tune. The record is made here, and stored by the driver.

        Raises:
            StoppedError: `stop` was raised before there was a result.
            InputError: the net cannot be trained, or see `Workbench.finetune`.
            WorkError: see `core.training.finetuning.finetune`.
        """
        trains = workbench.settings.changes.epochs != 0
        work = (self._finetuned if trains else self._pruned)(workbench, net, stop)
        result = yield from relayed(work, self._begun)
        return replace(result, record=self._named(result.record))

    def _begun(self, event: Event) -> Iterator[Event]:
        """The same event; the record of a run that begins says what was asked for, and where."""
        if isinstance(event, Begun):
            event = Begun(replace(self._named(event.record), environment=environment()))
        yield event

    def _pruned(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[RecordedTrial]:
        _, precision = yield from workbench.prepared(stop)
        yield from note_floors(net, self.plan)
        yield Begun(pruning_record(workbench, net, self.plan, precision))
        result = yield from with_sizes(workbench, apply_plan(workbench, net, self.plan, stop))
        return RecordedTrial(result.weights, pruned_record(workbench, net, self.plan, result))

    def _finetuned(self, workbench: Workbench, net: Net, stop: StopFlag) -> Stream[RecordedTrial]:
        _, precision = yield from workbench.prepared_to_train(stop)
        yield from note_floors(net, self.plan)
        recipe, plan = workbench.finetuning, self.plan
        state = None if self.resume is None else self.resume.unpacked().state()
        pruned, made = None, None
        needed = recipe.reconstruct and state is None
        making, training = portions(RECONSTRUCTION_COST * needed, 1 - RECONSTRUCTION_COST)
        if needed:
            result = yield from within(making, apply_plan(workbench, net, plan, stop))
            pruned, made = result.accuracy, result.reconstructed
        yield Begun(finetuning_record(workbench, net, plan, recipe, precision, made))
        stream = workbench.finetune(net, plan, stop, True, state, pruned, made)
        tuned = yield from within(training, stream)
        return RecordedTrial(tuned.weights, finetuned_record(workbench, net, plan, tuned))

    def _named(self, record: RunRecord) -> RunRecord:
        """A record with what is asked for, and with the paths that the user named."""
        return replace(
            record,
            model=self.model,
            dataset=self.dataset,
            allocate=self.method or None,
            lightest=self.lightest,
        )
