"""Trials by real fine-tunings, what their nets cost, one descent for each seed, and the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic

from core.errors import InputError, StoppedError
from core.events import Accuracy, StopFlag, Stream, never, portions, within
from core.experiments.experiment import Experiment
from core.experiments.run_record import TrialRecord
from core.formats.export_formats import COMPACT
from core.jobs import measurement
from core.jobs.export import (
    TUNE,
    ExportResult,
    SmallFile,
    record_export,
    small_file,
    write_small_file,
)
from core.jobs.goals import cost_bounds, plan_by, scan_for
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.lightest import recorded
from core.lightest.descent import descend
from core.lightest.steps import START, Step, Steps
from core.lightest.trials import (
    ROUNDING,
    UNITS,
    By,
    Descent,
    Lightest,
    PackingStarted,
    Trial,
    TrialStarted,
)
from core.nets.weights import Weights
from core.pruning.budgets.costs import NetCosts
from core.pruning.curves import Scan
from core.pruning.goals import DEFAULT_ALLOCATION, NANOSECONDS, Goal

FILE_COST = 3 * TUNE
"""What it takes to find a net's smallest file, in epochs: a few numbers of values are trained."""

DESCENDING_COST, EXPORT_COST = 0.97, 0.03
"""The shares of the whole: the descents, and the file at the end."""


@dataclass(frozen=True)
class Search:
    """What to look for, and how.

    Attributes:
        max_drop: allowed drop in validation accuracy below the dense net's, in points.
        by: what nets are judged by, see `trials.COSTS`.
        method: the allocation method.
        locked: layers fixed at these sparsities.
        start: the first ratio to try.
        minutes: a limit on the time, of which every seed gets the same share; None for none.

    Raises InputError if the first ratio is not above 1.
    """

    max_drop: float
    by: By = "parameters"
    method: str = DEFAULT_ALLOCATION
    locked: Mapping[str, float] = field(default_factory=dict)
    start: float = START
    minutes: float | None = None

    def __post_init__(self) -> None:
        if not 1 < self.start < float("inf"):
            raise InputError(f"a descent starting at {self.start}x: expected a ratio above 1")


Opened = Callable[[Workbench], Stream[Net]]
"""Opens the net to start from, for a workbench with one of the seeds."""


def given(base: Net) -> Opened:
    """Starts from a net that is open already."""

    def opened(_: Workbench) -> Stream[Net]:
        yield from ()
        return base

    return opened


def check_small_file(to: Path) -> None:
    """Raise InputError if the name is not one of a compact file."""
    if to.suffix != COMPACT:
        way = f"a compact file, whose name ends in {COMPACT}"
        raise InputError(f"--to {to}: expected {way}; featherweight export writes other formats")


def lightest(
    workbench: Workbench,
    opened: Opened,
    search: Search,
    experiment: Experiment,
    seeds: Sequence[int],
    to: Path | None = None,
    stop: StopFlag = never,
) -> Stream[Lightest]:
    """Find the lightest net within a drop in accuracy for each seed; write the best of all to `to`.

    Every trial is a fine-tuning, recorded as a run of `experiment`. One that is recorded already is
    not repeated, so that the same search goes on after a crash. When `stop` is raised or the time
    is over, the best so far is the answer, and is written.

    Raises:
        InputError: the file cannot be written, or see `allocation.allocate`.
        StoppedError: `stop` was raised before there was a net to start from.
    """
    if to is not None:
        check_small_file(to)
    descending, exporting = portions(DESCENDING_COST, EXPORT_COST if to else 0.0)
    stream = _descents(workbench, opened, search, experiment, seeds, stop)
    done = yield from within(descending, stream)
    descents = tuple(descent for _, descent in done)
    found = Lightest(search.by, search.max_drop, tuple(seeds), descents, stop())
    best = found.best
    if to is None or best is None:
        return found
    bench, descent = next(each for each in done if each[1].best is best)
    writing = _written(bench, descent, best, experiment, to, stop)
    return replace(found, file=(yield from within(exporting, writing)))


def _descents(
    workbench: Workbench,
    opened: Opened,
    search: Search,
    experiment: Experiment,
    seeds: Sequence[int],
    stop: StopFlag,
) -> Stream[list[tuple[Workbench, Descent]]]:
    """A descent for each seed until one is stopped or fails, each with the seed's workbench."""
    began, minutes = monotonic(), search.minutes or math.inf
    done: list[tuple[Workbench, Descent]] = []
    for part in portions(*[1] * len(seeds)):
        if done and (stop() or done[-1][1].error):
            break
        ends = partial(_after, began + 60 * minutes * (len(done) + 1) / len(seeds), stop)
        bench = workbench.with_settings(replace(workbench.settings, seed=seeds[len(done)]))
        stream = _descent(bench, opened, search, experiment, stop, ends)
        try:
            done.append((bench, (yield from within(part, stream))))
        except StoppedError:
            if not done:
                raise
            break
    return done


def _after(end: float, stop: StopFlag) -> bool:
    """Whether it is later than a time of the monotonic clock, or `stop` is raised."""
    return stop() or monotonic() > end


def _descent(
    workbench: Workbench,
    opened: Opened,
    search: Search,
    experiment: Experiment,
    stop: StopFlag,
    ends: StopFlag,
) -> Stream[Descent]:
    """The descent of one seed, until `ends`; raises StoppedError if it is stopped before."""
    opening, rest = portions(0.02, 0.98)
    preparing = _prepared(workbench, opened, search, experiment, stop)
    base, costs, scan = yield from within(opening, preparing)
    least = (base.dense or base.accuracy).validation - search.max_drop
    heaviest, lightest = cost_bounds(base, costs, search.locked)
    steps = Steps.begin(costs.dense / heaviest, costs.dense / lightest, search.start)
    tries = _Trials(workbench, base, search, experiment, costs, scan, least, ends)
    seed = workbench.settings.seed
    stream = descend(tries.attempt, steps, by=search.by, least=least, seed=seed, stop=ends)
    return (yield from within(rest, stream))


def _prepared(
    workbench: Workbench, opened: Opened, search: Search, experiment: Experiment, stop: StopFlag
) -> Stream[tuple[Net, NetCosts, Scan | None]]:
    """The net to start from, the costs of its layers, and its scan if the method needs one."""
    base = yield from opened(workbench)
    unit = UNITS.get(search.by, "parameters")
    costs = yield from measurement.costs_in(workbench, base.weights, unit, stop)
    scan = yield from scan_for(search.method, workbench, base, experiment, stop)
    return base, costs, scan


@dataclass(frozen=True)
class _Trials:
    """The trials of a descent; `least` is the required validation accuracy in percent."""

    workbench: Workbench
    base: Net
    search: Search
    experiment: Experiment
    costs: NetCosts
    scan: Scan | None
    least: float
    stop: StopFlag

    def attempt(self, number: int, step: Step, best: Trial | None) -> Stream[Trial]:
        """Fine-tune from the best net so far to the step's ratio, and judge the result."""
        search, workbench = self.search, _with_effort(self.workbench, step.effort)
        epochs = workbench.finetuning.epochs
        yield TrialStarted(number, step.ratio, epochs)
        base = self.base if best is None else workbench.net(best.result, best.base)
        profiles = yield from workbench.profiles(base, self.stop)
        goal = self._goal(step.ratio)
        plan = plan_by(base, profiles, self.costs, goal, search.method, search.locked, self.scan)
        training, packing = portions(
            workbench.finetuning.epochs, FILE_COST * (search.by == "bytes")
        )
        trial = TrialRecord(number, self.least, search.by)
        stream = recorded.finetune(
            workbench, base, plan, self.experiment, trial, search.method, self.stop
        )
        result = yield from within(training, stream)
        file: SmallFile | None = None
        cost: float | None = self.costs.of(_kept(workbench, result.weights))
        accurate = self._allows(result.accuracy)
        if search.by == "bytes" and accurate and not result.stopped:
            yield PackingStarted()
            least = self.least - ROUNDING
            packed = recorded.light_file(workbench, result, least, self.experiment, self.stop)
            file = yield from within(packing, packed)
            accurate = self._allows(file.accuracy)
        if search.by == "bytes":
            cost = float(len(file.data)) if file else None
        lighter = cost is not None and (best is None or cost < (best.cost or 0.0))
        return Trial(
            number=number,
            ratio=step.ratio,
            epochs=epochs,
            settings=workbench.settings,
            base=base,
            plan=plan,
            result=result,
            accurate=accurate,
            cost=cost,
            passed=accurate and lighter,
            file=file,
        )

    def _goal(self, ratio: float) -> Goal:
        """The goal of a step."""
        match self.costs.unit:
            case "parameters":
                return Goal("ratio", ratio)
            case "macs":
                return Goal("macs", self.costs.dense / ratio)
            case "ns":
                return Goal("ms", self.costs.dense / ratio / NANOSECONDS)

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


def _written(
    workbench: Workbench,
    descent: Descent,
    best: Trial,
    experiment: Experiment,
    to: Path,
    stop: StopFlag,
) -> Stream[ExportResult]:
    """Write the file of the best net, and record it with its run.

    After a stop, the file is made at once, without training its values.
    """
    file = best.file
    if file is None:
        least, tune = descent.least - ROUNDING, 0 if stop() else TUNE
        file = yield from small_file(workbench, best.result.weights, least, tune)
    result = yield from write_small_file(workbench, file, to)
    yield from record_export(result, file.packing, experiment, best.result.run)
    return result
