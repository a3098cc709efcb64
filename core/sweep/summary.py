"""What a sweep found: means and ranges over seeds, the Pareto front, the time it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from core.executors.events import TrialLabel
from core.experiments.pareto import front
from core.experiments.run_record import FINETUNE, RunRecord, report_json
from core.experiments.runs import DONE, Run
from core.experiments.spread import Spread
from core.settings.settings import Settings
from core.sweep.grid import Trial
from core.sweep.live.events import SweepResult, TrialOutcome


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The trials that differ only in their seed.

    Attributes:
        seeds: how many of them have ended.
        ratio: mean over them.
        on_front: no other group is at least as small and as accurate on validation.
    """

    name: str
    seeds: int
    ratio: float
    validation: Spread
    test: Spread
    on_front: bool = False


def group_results(outcomes: Iterable[TrialOutcome]) -> tuple[GroupResult, ...]:
    """Means and ranges by group, in the order of the trials; failed trials are left out."""
    groups: dict[str, list[RunRecord]] = {}
    for outcome in outcomes:
        record = outcome.record
        if record is not None and record.ratio and record.stage in record.measured:
            groups.setdefault(outcome.trial.group, []).append(record)
    rows = [_row(name, records) for name, records in groups.items()]
    best = set(front([(row.ratio, row.validation.mean) for row in rows]))
    return tuple(
        GroupResult(row.name, row.seeds, row.ratio, row.validation, row.test, place in best)
        for place, row in enumerate(rows)
    )


def _row(name: str, records: Sequence[RunRecord]) -> GroupResult:
    accuracies = [record.measured[record.stage] for record in records]
    ratio = mean(record.ratio or 0.0 for record in records)
    validation = Spread.of([accuracy.validation for accuracy in accuracies])
    return GroupResult(
        name, len(records), ratio, validation, Spread.of([a.test for a in accuracies])
    )


def sweep_report(result: SweepResult) -> dict[str, Any]:
    """What `featherweight sweep --json` writes: every trial's run, as `run` reports it."""
    runs = [
        {
            **(report_json(outcome.record) if outcome.record else {}),
            **_place(outcome.trial),
            "run": outcome.run,
            **({"error": outcome.error} if outcome.error else {}),
        }
        for outcome in result.outcomes
    ]
    unfinished = [_place(trial) for trial in result.unfinished]
    report = {"runs": runs, "unfinished": unfinished, "stopped": result.stopped}
    failed = [outcome for outcome in result.outcomes if outcome.error]
    if failed:
        first = failed[0].trial
        report["error"] = f"{len(failed)} of {len(runs)} trials failed; {first}: {failed[0].error}"
    return report


def _place(trial: TrialLabel) -> dict[str, Any]:
    return {"trial": trial.number, "plan": trial.group, "seed": trial.seed}


def known_seconds(trials: Sequence[Trial], runs: Iterable[Run]) -> float | None:
    """The time that the training of all trials takes, from runs of the same net and recipe.

    Returns seconds; None if there is no such run for one of them. Measuring comes on top.
    """
    known: dict[Any, float] = {}
    for run in runs:
        record = run.record
        seconds = [epoch.seconds or 0.0 for epoch in record.epochs]
        if run.status == DONE and record.kind == FINETUNE and seconds:
            known[record.model, record.dataset, record.recipe, record.choices] = sum(seconds)
    each = [known.get((s.model, s.dataset, s.recipe, s.changes)) for s in _settings(trials)]
    return None if None in each else sum(filter(None, each))


def _settings(trials: Sequence[Trial]) -> list[Settings]:
    return [trial.settings for trial in trials]
