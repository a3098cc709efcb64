"""One descent for each seed, alone or side by side, and the file of the best net."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TypeVar

from core.errors import InputError, StoppedError
from core.events import (
    DenseTrainingStarted,
    Event,
    Portion,
    StopFlag,
    Stream,
    never,
    portions,
    relayed,
    within,
)
from core.executors.driver import Driver, attended
from core.executors.events import in_turn
from core.executors.in_process import InProcess
from core.executors.side_by_side import side_by_side
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.formats.export_formats import COMPACT
from core.jobs import measurement
from core.jobs.dense_net import LOADING
from core.jobs.export import TUNE, ExportResult, record_export, small_file, write_small_file
from core.jobs.goals import cost_bounds, scan_for
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.lightest.attempts import Attempts
from core.lightest.descent import descend
from core.lightest.recorded import RecordedWork
from core.lightest.search import Search
from core.lightest.steps import Steps
from core.lightest.trials import ROUNDING, UNITS, Descent, Lightest, Trial
from core.pruning.budgets.costs import NetCosts
from core.pruning.curves import Scan

T = TypeVar("T")

OPENING_COST = 0.02
"""The share of a descent that it takes to open a trained net, about."""

DESCENDING_COST, EXPORT_COST = 0.97, 0.03
"""The shares of the whole: the descents, and the file at the end."""


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
    executor: Executor | None = None,
) -> Stream[Lightest]:
    """Find the lightest net within a drop in accuracy for each seed; write the best of all to `to`.

    Every trial is a fine-tuning, recorded as a run of `experiment`. One that is recorded already is
    not repeated, so that the same search goes on after a crash. When `stop` is raised or the time
    is over, the best so far is the answer, and is written; the trials in progress can be resumed.

    `executor`, which is closed at the end, runs the trials: in this process if None. One with
    several places runs several at once, whose events are `TrialReported`.

    Raises:
        InputError: the file cannot be written, or see `allocation.allocate`.
        StoppedError: `stop` was raised before there was a net to start from.
    """
    if to is not None:
        check_small_file(to)
    yield from workbench.splits(stop)  # which every trial in this process shares
    driver = Driver(InProcess(workbench) if executor is None else executor)
    descending, exporting = portions(DESCENDING_COST, EXPORT_COST if to else 0.0)
    stream = attended(_descents(workbench, opened, search, experiment, seeds, driver, stop), driver)
    done = yield from within(descending, in_turn(stream) if driver.places == 1 else stream)
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
    driver: Driver,
    stop: StopFlag,
) -> Stream[list[tuple[Workbench, Descent]]]:
    """A descent for each seed until one is stopped or fails, each with the seed's workbench.

    They run side by side as far as there are places; those left over try several steps at once.
    """
    places = max(1, driver.places // len(seeds))
    at_once = min(len(seeds), driver.places)
    began, minutes = monotonic(), search.minutes or math.inf
    rounds = math.ceil(len(seeds) / at_once)
    done: dict[int, tuple[Workbench, Descent]] = {}
    stopped: list[StoppedError] = []

    def descent(place: int, part: Portion) -> Stream[None]:
        if done and (stop() or any(each.error for _, each in done.values())):
            return
        ends = partial(_after, began + 60 * minutes * (place // at_once + 1) / rounds, stop)
        bench = workbench.with_settings(replace(workbench.settings, seed=seeds[place]))
        stream = _descent(bench, opened, search, experiment, driver, places, stop, ends)
        try:
            done[place] = bench, (yield from within(part, stream))
        except StoppedError as error:
            stopped.append(error)

    each = [descent(place, part) for place, part in enumerate(portions(*[1] * len(seeds)))]
    yield from side_by_side(each, at_once)
    if stopped and not done:
        raise stopped[0]
    return [done[place] for place in sorted(done)]


def _after(end: float, stop: StopFlag) -> bool:
    """Whether it is later than a time of the monotonic clock, or `stop` is raised."""
    return stop() or monotonic() > end


def _descent(
    workbench: Workbench,
    opened: Opened,
    search: Search,
    experiment: Experiment,
    driver: Driver,
    places: int,
    stop: StopFlag,
    ends: StopFlag,
) -> Stream[Descent]:
    """The descent of one seed, until `ends`; raises StoppedError if it is stopped before."""
    preparing = _prepared(workbench, opened, search, experiment, stop)
    (base, costs, scan), opened_at = yield from _opening(preparing, workbench, search)
    least = (base.dense or base.accuracy).validation - search.max_drop
    heaviest, lightest = cost_bounds(base, costs, search.locked)
    most = costs.dense / lightest if lightest else math.inf  # the shortest time may be none
    steps = Steps.begin(costs.dense / heaviest, most, search.start, places)
    work = RecordedWork(driver, experiment, search.method, ends)
    tries = Attempts(workbench, base, search, work, costs, scan, least)
    seed = workbench.settings.seed
    stream = descend(tries.attempt, steps, by=search.by, least=least, seed=seed, stop=ends)
    return (yield from within(Portion(opened_at, 1.0), stream))


def _opening(stream: Stream[T], workbench: Workbench, search: Search) -> Stream[tuple[T, float]]:
    """Make a stream a portion at the beginning; returns its result and where the portion ends.

    It is a short one, unless a dense net is trained: then the epochs say what share it takes.
    """
    opening = Portion(0.0, OPENING_COST)

    def part(event: Event) -> Iterator[Event]:
        nonlocal opening
        if isinstance(event, DenseTrainingStarted):
            effort = Steps.begin(1.0, math.inf, search.start).expected()
            training = event.epochs / (1 - LOADING.end)
            trials = effort * workbench.finetuning.epochs
            opening = Portion(0.0, training / (training + trials))
        yield opening.part(event) if isinstance(event, Portion) else event

    with closing(stream):
        yield opening
        result = yield from relayed(stream, part)
    return result, opening.end


def _prepared(
    workbench: Workbench, opened: Opened, search: Search, experiment: Experiment, stop: StopFlag
) -> Stream[tuple[Net, NetCosts, Scan | None]]:
    """The net to start from, the costs of its layers, and its scan if the method needs one."""
    base = yield from opened(workbench)
    unit = UNITS.get(search.by, "parameters")
    costs = yield from measurement.costs_in(workbench, base.weights, unit, stop)
    scan = yield from scan_for(search.method, workbench, base, experiment, stop)
    return base, costs, scan


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
