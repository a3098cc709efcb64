"""Which runs of an experiment are trials of a sweep or a search already."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable

from core.experiments.run_record import FINETUNE, PRUNE, RunRecord, record_json
from core.experiments.runs import DONE, RUNNING, Run
from core.settings.settings import is_same_setting

_BY_PATH = ("model", "dataset")
"""Settings that may be given by another path."""

_SAME = (
    *("kind", "protocol", "model_args", "fresh_head", "inputs", "precision", "seed"),
    *("finetuning", "recalibrate"),
)
"""Keys that runs of the same trial share, beside the plan and the net they start from.

Threads, device and versions are not among them: the same trial on another machine is the same.
"""


def trial_key(record: RunRecord) -> str:
    """Text that two runs share if the same work was asked for, except for paths."""
    data = record_json(record)
    recipe = ("recipe", "choices") if record.kind == PRUNE else ()
    known = {name: data.get(name) for name in (*_SAME, *recipe)}
    plan = [(layer.name, layer.sparsity) for layer in record.layers]
    return json.dumps([known, record.base and record.base.weights, plan], sort_keys=True)


class RecordedRuns:
    """Finds the run of a trial among those of an experiment."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: dict[str, list[Run]] = defaultdict(list)
        for run in runs:
            if run.record.kind in (FINETUNE, PRUNE) and (_is_whole(run) or run.resumable):
                self._runs[trial_key(run.record)].append(run)

    def find(self, record: RunRecord) -> Run | None:
        """The run of a trial that would begin with `record`: a complete one if there is any.

        A run that was stopped early, or by an error, is not a result of its trial.
        """
        runs = [run for run in self._runs.get(trial_key(record), ()) if _is_same(run, record)]
        return min(runs, key=lambda run: (run.status != DONE, run.status != RUNNING), default=None)


def _is_whole(run: Run) -> bool:
    return run.status in (DONE, RUNNING)


def _is_same(run: Run, record: RunRecord) -> bool:
    return all(
        is_same_setting(name, getattr(run.record, name), getattr(record, name)) for name in _BY_PATH
    )
