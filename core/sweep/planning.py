"""From trials to tasks: the nets they start from, their plans, and the runs there are already."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.criteria.names import MAGNITUDE
from core.errors import InputError
from core.events import Progress, StopFlag, Stream
from core.executors.tasks import Task, plain_settings
from core.executors.work.fine_tuning import FineTuning
from core.experiments.experiment import Experiment
from core.experiments.recorded_trials import RecordedRuns, trial_key
from core.experiments.runs import Run
from core.jobs.dense_net import dense_weights, measured_net
from core.jobs.goals import plan_for
from core.jobs.net import Net
from core.jobs.report import finetuning_record, pruning_record
from core.jobs.workbench import Workbench
from core.nets.weights import weights_digest
from core.pruning.plans import Plan
from core.sweep.choices import PlanChoice
from core.sweep.grid import Trial


@dataclass(frozen=True, eq=False)
class PlannedTrial:
    """A trial with its plan.

    Attributes:
        run: that records it, complete, running or to be resumed; None if there is none.
        twin: the number of an earlier trial that does the same; None if there is none.
    """

    trial: Trial
    task: Task
    base: Net
    run: Run | None
    twin: int | None


def plan_trials(
    workbench: Workbench,
    trials: Sequence[Trial],
    locked: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag,
) -> Stream[tuple[PlannedTrial, ...]]:
    """Open the nets the trials start from, plan each trial, and find its run if it has one.

    Raises InputError if a goal is out of reach or the net cannot be opened.
    """
    planner = _Planner(workbench, locked, experiment)
    result = []
    for trial in trials:
        result.append((yield from planner.plan(trial, stop)))
        yield Progress("planning", len(result), len(trials), "trials")
    return tuple(result)


class _Planner:
    """Plans trials; trials that differ in little share nets and plans."""

    def __init__(
        self, workbench: Workbench, locked: Mapping[str, float], experiment: Experiment
    ) -> None:
        self._workbench, self._locked, self._experiment = workbench, locked, experiment
        self._recorded = RecordedRuns(experiment.runs())
        self._digests: dict[int, str] = {}
        self._bases: dict[str, Net] = {}
        self._plans: dict[Hashable, Plan] = {}
        self._numbers: dict[str, int] = {}

    def plan(self, trial: Trial, stop: StopFlag) -> Stream[PlannedTrial]:
        workbench = self._workbench.with_settings(trial.settings)
        _, precision = yield from workbench.prepared(stop)
        settings = replace(trial.settings, precision=precision)
        workbench = workbench.with_settings(settings)
        base = yield from self._base(workbench, stop)
        try:
            plan = yield from self._plan(workbench, base, trial.choice, stop)
        except InputError as error:
            raise InputError(f"trial {trial.number}, {trial.group}: {error}") from error
        if settings.changes.epochs == 0:
            record = pruning_record(workbench, base, plan, precision)
        else:
            record = finetuning_record(workbench, base, plan, workbench.finetuning, precision)
        work = FineTuning(plan, trial.choice.method, settings.model, settings.dataset)
        task = Task(trial.number, plain_settings(settings), base.digest, work)
        first = self._numbers.setdefault(trial_key(record), trial.number)
        twin = first if first != trial.number else None
        return PlannedTrial(trial, task, base, self._recorded.find(record), twin)

    def _base(self, workbench: Workbench, stop: StopFlag) -> Stream[Net]:
        """The dense net; without weights for its data, each seed has its own."""
        seed = workbench.settings.seed
        if seed not in self._digests:
            dense = yield from dense_weights(workbench, stop)
            digest = self._digests[seed] = weights_digest(dense.weights)
            if digest not in self._bases:
                self._bases[digest] = yield from measured_net(workbench, dense, stop)
        return self._bases[self._digests[seed]]

    def _plan(
        self, workbench: Workbench, base: Net, choice: PlanChoice, stop: StopFlag
    ) -> Stream[Plan]:
        key = base.digest, repr(choice), _ranking(workbench), workbench.repair
        if key not in self._plans:
            model, names = workbench.settings.model, workbench.layer_names
            plan = choice.plan(model, names)
            if plan is None:
                assert choice.goal is not None
                goal, method = choice.goal, choice.method
                plan = yield from plan_for(
                    workbench, base, goal, method, self._locked, self._experiment, stop
                )
            self._plans[key] = plan
        return self._plans[key]


def _ranking(workbench: Workbench) -> tuple[str, int]:
    """What ranks the weights: magnitude does so alike for all seeds."""
    criterion = workbench.finetuning.criterion
    return criterion, 0 if criterion == MAGNITUDE else workbench.settings.seed
