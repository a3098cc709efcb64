"""The trials of a descent by real fine-tunings, and what their nets cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from core.events import Accuracy, Stream, portions, within
from core.executors.events import TrialLabel, reported
from core.experiments.run_record import TrialRecord
from core.jobs.export import TUNE, SmallFile
from core.jobs.goals import plan_by
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.lightest.recorded import RecordedWork
from core.lightest.search import Search
from core.lightest.steps import Step
from core.lightest.trials import ROUNDING, PackingStarted, Trial, TrialStarted
from core.nets.weights import Weights
from core.pruning.budgets.costs import NetCosts
from core.pruning.curves import Scan
from core.pruning.goals import NANOSECONDS, Goal

FILE_COST = 3 * TUNE
"""What it takes to find a net's smallest file, in epochs: a few numbers of values are trained."""


@dataclass
class Attempts:
    """The trials of a descent.

    Attributes:
        base: the net it started from, and whose scan `scan` is.
        least: the required validation accuracy in percent.
    """

    workbench: Workbench
    base: Net
    search: Search
    work: RecordedWork
    costs: NetCosts
    scan: Scan | None
    least: float
    _nets: dict[int, Net] = field(default_factory=dict)

    def attempt(self, number: int, step: Step, best: Trial | None) -> Stream[Trial]:
        """Fine-tune from the best net so far to the step's ratio, and judge the result."""
        label = TrialLabel(number, f"{step.ratio:.1f}x", self.workbench.settings.seed)
        return reported(label, self._trial(label, step, best))

    def _trial(self, label: TrialLabel, step: Step, best: Trial | None) -> Stream[Trial]:
        search, work = self.search, self.work
        workbench = _with_effort(self.workbench, step.effort)
        epochs = workbench.finetuning.epochs
        yield TrialStarted(label.number, step.ratio, epochs)
        base = self.base if best is None else self._net(best)
        profiles = yield from workbench.profiles(base, work.stop)
        goal = self._goal(step.ratio)
        plan = plan_by(
            self.base, profiles, self.costs, goal, search.method, search.locked, self.scan
        )
        training, packing = portions(epochs, FILE_COST * (search.by == "bytes"))
        record = TrialRecord(label.number, self.least, search.by)
        stream = work.finetune(workbench, base, plan, record, label)
        result = yield from within(training, stream)
        trial = Trial(
            number=label.number,
            ratio=step.ratio,
            epochs=epochs,
            settings=workbench.settings,
            base=base,
            plan=plan,
            result=result,
            accurate=self._allows(result.accuracy),
            cost=self.costs.of(_kept(workbench, result.weights)),
            passed=False,
        )
        if search.by == "bytes":
            trial = yield from within(packing, self._packed(workbench, trial))
        lighter = trial.cost is not None and (best is None or trial.cost < (best.cost or 0.0))
        return replace(trial, passed=trial.accurate and lighter)

    def _packed(self, workbench: Workbench, trial: Trial) -> Stream[Trial]:
        """A trial judged by its file, if it is accurate enough for one."""
        if not trial.accurate or trial.result.stopped:
            return replace(trial, cost=None)
        yield PackingStarted()
        net, least = self._net(trial), self.least - ROUNDING
        file: SmallFile = yield from self.work.light_file(workbench, net, trial.result.run, least)
        accurate, cost = self._allows(file.accuracy), float(len(file.data))
        return replace(trial, file=file, accurate=accurate, cost=cost)

    def _net(self, trial: Trial) -> Net:
        """The net of a trial: that of the last one asked for is kept."""
        if trial.number not in self._nets:
            self._nets = {trial.number: self.workbench.net(trial.result, trial.base)}
        return self._nets[trial.number]

    def _goal(self, ratio: float) -> Goal:
        """The goal of a step; whole units up, so that the lightest net there is stays in reach."""
        match self.costs.unit:
            case "parameters":
                return Goal("ratio", ratio)
            case "macs":
                return Goal("macs", math.ceil(self.costs.dense / ratio))
            case "ns":
                return Goal("ms", math.ceil(self.costs.dense / ratio) / NANOSECONDS)

    def _allows(self, accuracy: Accuracy) -> bool:
        return accuracy.validation >= self.least - ROUNDING


def _with_effort(workbench: Workbench, effort: int) -> Workbench:
    """The workbench with so many times the recipe's epochs."""
    if effort == 1:
        return workbench
    settings, epochs = workbench.settings, effort * workbench.finetuning.finetune.epochs
    return workbench.with_settings(
        replace(settings, changes=replace(settings.changes, epochs=epochs))
    )


def _kept(workbench: Workbench, weights: Weights) -> dict[str, int]:
    """The nonzero weights of each layer."""
    return {layer.name: int(weights[layer.key].count_nonzero()) for layer in workbench.layers}
