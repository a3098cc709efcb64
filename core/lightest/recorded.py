"""A trial's fine-tuning and file: from the run that recorded them, continued, or new.

So a descent that was killed goes on where it was if it is started again alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.events import Notice, StopFlag, Stream
from core.experiments.experiment import Experiment
from core.experiments.exports import read_exports
from core.experiments.run_record import RunRecord, TrialRecord, record_json
from core.experiments.runs import DONE, LIGHT, Run
from core.formats.codec import decode
from core.jobs import recorded_jobs
from core.jobs.export import ExportResult, SmallFile, record_export, small_file
from core.jobs.net import Net
from core.jobs.report import finetuning_record
from core.jobs.restore import finetuning_of
from core.jobs.resume import resume_finetuning
from core.jobs.workbench import Workbench
from core.system.files import write_whole
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


def light_file(
    workbench: Workbench,
    result: FineTuningResult,
    least: float,
    experiment: Experiment,
    stop: StopFlag,
) -> Stream[SmallFile]:
    """The small file of a trial's net: recorded with its run, or made now; see `small_file`."""
    if result.run is None:
        return (yield from small_file(workbench, result.weights, least, stop=stop))
    path = experiment.folder / result.run / LIGHT
    if (known := _read(workbench, path)) and known.accuracy.validation >= least:
        return known
    file = yield from small_file(workbench, result.weights, least, stop=stop)
    try:
        write_whole(path, lambda part: part.write_bytes(file.data))
    except InputError as error:
        yield Notice(f"the file of run {result.run} could not be recorded: {error}", warning=True)
        return file
    written = ExportResult(path, len(file.data), file.accuracy, levels=file.levels)
    yield from record_export(written, file.packing, experiment, result.run)
    return file


def _read(workbench: Workbench, path: Path) -> SmallFile | None:
    """The recorded file at a path; None if there is none, or it is damaged."""
    for export in reversed(read_exports(path.parent)):
        if export.name != LIGHT:
            continue
        with suppress(InputError, OSError):
            data = path.read_bytes()
            decode(data)
            if len(data) == export.bytes:
                images = workbench.split_sizes or (0, 0)
                return SmallFile(data, export.levels, replace(export.accuracy, images=images))
    return None


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
