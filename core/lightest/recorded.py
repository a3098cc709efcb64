"""A trial's fine-tuning and file: from the run that recorded them, continued, or new.

So a descent that was killed goes on where it was if it is started again alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError
from core.events import Notice, StopFlag, Stream
from core.executors.assignment import Assignment
from core.executors.driver import Driver
from core.executors.events import TrialLabel
from core.executors.recording import Recording
from core.executors.tasks import Task, Work, plain_settings
from core.executors.work.fine_tuning import FineTuning
from core.executors.work.packing import Packing
from core.experiments.experiment import Experiment
from core.experiments.exports import read_exports
from core.experiments.recorded_trials import RecordedRuns
from core.experiments.run_record import RunRecord, TrialRecord
from core.experiments.runs import DONE, LIGHT, RUNNING, Run
from core.formats.codec import decode
from core.jobs.export import ExportResult, SmallFile, record_export
from core.jobs.net import Net
from core.jobs.report import finetuning_record
from core.jobs.restore import finetuning_from, finetuning_of
from core.jobs.workbench import Workbench
from core.system.files import write_whole
from core.training.finetuning import FineTuningResult


@dataclass(frozen=True)
class RecordedWork:
    """The work of the trials of a descent.

    Attributes:
        driver: hands it to workers.
        experiment: records it.
        method: the allocation method of the descent.
    """

    driver: Driver
    experiment: Experiment
    method: str
    stop: StopFlag

    def finetune(
        self,
        workbench: Workbench,
        base: Net,
        plan: Mapping[str, float],
        trial: TrialRecord,
        label: TrialLabel,
    ) -> Stream[FineTuningResult]:
        """Fine-tune as a trial; one that the experiment has recorded is read, or resumed.

        Raises InputError if that run is damaged.
        """
        workbench = yield from _with_precision(workbench, self.stop)
        precision = workbench.settings.precision
        record = finetuning_record(workbench, base, plan, workbench.finetuning, precision)
        run = self._recorded(record)
        if run is not None and run.status == DONE:
            yield Notice(f"trial {label.number} is recorded already, as run {run.id}")
            return (yield from finetuning_of(workbench, run))
        if run is not None:
            epochs = len(run.record.epochs)
            yield Notice(f"trial {label.number} continues run {run.id} after epoch {epochs}")
        model, dataset = workbench.settings.model, workbench.settings.dataset
        work = FineTuning(plan, self.method, model, dataset, trial)
        task = self._task(workbench, base, work)
        recording = Recording(label, task, base, run, self.experiment)
        result = yield from self.driver.run(recording, self.stop)
        return (yield from finetuning_from(workbench, result))

    def light_file(
        self, workbench: Workbench, net: Net, run: str | None, least: float
    ) -> Stream[SmallFile]:
        """The small file of a trial's net: recorded with its run, or made now."""
        path = None if run is None else self.experiment.folder / run / LIGHT
        known = None if path is None else _read(workbench, path)
        if known is not None and known.accuracy.validation >= least:
            return known
        workbench = yield from _with_precision(workbench, self.stop)
        task = self._task(workbench, net, Packing(least))
        file = yield from self.driver.run(Assignment[SmallFile](task, net), self.stop)
        if path is None:
            return file
        try:
            write_whole(path, lambda part: part.write_bytes(file.data))
        except InputError as error:
            yield Notice(f"the file of run {run} could not be recorded: {error}", warning=True)
            return file
        written = ExportResult(path, len(file.data), file.accuracy, levels=file.levels)
        yield from record_export(written, file.packing, self.experiment, run)
        return file

    def _task(self, workbench: Workbench, base: Net, work: Work) -> Task:
        settings = plain_settings(workbench.settings)
        return Task(next(self.driver.numbers), settings, base.digest, work)

    def _recorded(self, wanted: RunRecord) -> Run | None:
        """The run of this trial that is done, or can be resumed."""
        runs = [run for run in self.experiment.runs() if not run.faults]
        return RecordedRuns(run for run in runs if run.status != RUNNING).find(wanted)


def _with_precision(workbench: Workbench, stop: StopFlag) -> Stream[Workbench]:
    """The workbench with its precision as it is on this machine, for workers everywhere."""
    _, precision = yield from workbench.prepared_to_train(stop)
    return workbench.with_settings(replace(workbench.settings, precision=precision))


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
