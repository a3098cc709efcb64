"""A trial's fine-tuning: from the run that recorded it, continued, or new.

So a descent that was killed goes on where it was if it is started again alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.events import Notice, StopFlag, Stream
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord, TrialRecord, record_json
from core.experiments.runs import DONE, Run
from core.jobs import recorded_jobs
from core.jobs.net import Net
from core.jobs.report import finetuning_record
from core.jobs.restore import finetuning_of
from core.jobs.resume import resume_finetuning
from core.jobs.workbench import Workbench
from core.training.finetuning import FineTuningResult

_IDENTITY = (
    *("kind", "model", "model_args", "fresh_head", "dataset", "inputs", "protocol", "split_sizes"),
    *("precision", "device", "threads", "seed", "recipe", "finetuning", "recalibrate", "lightest"),
    "allocate",
)
"""What a trial and the run that recorded it have in common, besides base and plan."""


def finetune(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    experiment: Experiment,
    trial: TrialRecord,
    allocate: str,
    stop: StopFlag,
) -> Stream[FineTuningResult]:
    """Fine-tune as a trial; one that the experiment has recorded is read, or resumed.

    Raises InputError if that run is damaged.
    """
    _, precision = yield from workbench.prepared_to_train(stop)
    record = finetuning_record(workbench, base, plan, workbench.finetuning, precision)
    run = _recorded(replace(record, lightest=trial, allocate=allocate), experiment)
    if run is None:
        fresh = recorded_jobs.finetune(
            workbench, base, plan, experiment, stop, lightest=trial, allocate=allocate
        )
        return (yield from fresh)
    if run.status == DONE:
        yield Notice(f"trial {trial.trial} is recorded already, as run {run.id}")
        return (yield from finetuning_of(workbench, run))
    yield Notice(f"trial {trial.trial} continues run {run.id} after epoch {len(run.record.epochs)}")
    return (yield from resume_finetuning(workbench, base, plan, run, experiment, stop))


def _recorded(wanted: RunRecord, experiment: Experiment) -> Run | None:
    """The newest run of this trial that is done, or can be resumed."""
    identity = _identity(wanted)
    for run in reversed(experiment.runs()):
        usable = run.status == DONE or run.resumable
        if usable and not run.faults and _identity(run.record) == identity:
            return run
    return None


def _identity(record: RunRecord) -> list[object]:
    written = record_json(record)
    base = record.base and record.base.weights
    plan = {layer.name: layer.sparsity for layer in record.layers}
    return [base, plan, *(written.get(name) for name in _IDENTITY)]
