"""The result of a search for the lightest net as JSON."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.experiments.experiment import Experiment
from core.experiments.run_record import report_json
from core.jobs.report import finetuned_record
from core.lightest.front import front
from core.system.typed_json import to_plain

if TYPE_CHECKING:
    from core.jobs.workbench import Workbench
    from core.lightest.trials import Lightest, Trial


def lightest_report(
    workbench: Workbench, result: Lightest, experiment: Experiment
) -> dict[str, Any]:
    """What `featherweight lightest --json` writes: every trial as a run, the best, the front.

    `asked` is the planned ratio of a trial, `cost` what its net costs by `by`.
    """
    reports = {id(trial): _trial_report(workbench, trial, experiment) for trial in result.trials}
    file = result.file
    return {
        "best": None if result.best is None else reports[id(result.best)],
        "trials": list(reports.values()),
        "by": result.by,
        "max_drop": result.max_drop,
        "seeds": list(result.seeds),
        "least": [descent.least for descent in result.descents],
        "front": to_plain(front(result)),
        "file": None if file is None else str(file.path),
        "complete": result.complete,
        "stopped": result.stopped,
        **({"error": result.error} if result.error else {}),
    }


def _trial_report(workbench: Workbench, trial: Trial, experiment: Experiment) -> dict[str, Any]:
    workbench = workbench.with_settings(trial.settings)
    record, run = finetuned_record(workbench, trial.base, trial.plan, trial.result), None
    if trial.result.run is not None:
        with suppress(InputError):  # it has been deleted
            run = experiment.find(trial.result.run)
    record = record if run is None else record.provenance(run.record)
    row: dict[str, Any] = {"asked": trial.ratio, "good": trial.passed, "cost": trial.cost}
    if file := trial.file:
        size = {"bytes": len(file.data), "levels": file.levels}
        row["file"] = {**size, "accuracy": to_plain(file.accuracy)}
    return {**report_json(record), **row, "run": trial.result.run}
