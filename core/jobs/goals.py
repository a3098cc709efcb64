"""Jobs for goals: a plan for a size, and the smallest net for an accuracy."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import InputError, StoppedError
from core.events import Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.run_record import TrialRecord
from core.experiments.saved_scans import load_scan, save_scan
from core.jobs import measurement, recorded_jobs
from core.jobs.search import LEAST, START, TRIALS, SearchResult, TrialOutcome, TrialRequest, search
from core.jobs.workbench import Net, Workbench
from core.nets.footprint import Footprint
from core.pruning.allocation import allocate
from core.pruning.curves import SPLITS, Scan
from core.pruning.goals import SENSITIVITY, Goal
from core.pruning.plans import Plan


def plan_for(
    workbench: Workbench,
    base: Net,
    goal: Goal,
    method: str,
    locked: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
) -> Stream[Plan]:
    """The plan by which `method` meets `goal`; scans the base first if the method needs it.

    Raises:
        InputError: the goal is out of reach, or as `allocation.allocate`.
        StoppedError: `stop` was raised during the scan.
    """
    scan = (yield from base_scan(workbench, base, experiment, stop)) if needs_scan(method) else None
    return _plan(workbench, base, goal, method, locked, scan)


def search_for(
    workbench: Workbench,
    base: Net,
    *,
    max_drop: float,
    method: str,
    locked: Mapping[str, float],
    experiment: Experiment,
    trials: int = TRIALS,
    start: float = START,
    stop: StopFlag = never,
) -> Stream[SearchResult]:
    """Find the smallest net within `max_drop` points of the dense net's validation accuracy.

    Every trial is a fine-tuning, recorded as a run of `experiment`, with a plan by `method`. It
    starts from the smallest net that passed, as Han et al. (2015) iterate, or from `base` before
    there is one. See `search.search`.
    """
    scan = (yield from base_scan(workbench, base, experiment, stop)) if needs_scan(method) else None
    dense = base.dense or base.accuracy
    least = dense.validation - max_drop

    def attempt(asked: TrialRequest) -> Stream[TrialOutcome]:
        before = asked.from_trial
        start = base if before is None else workbench.net(before.result, before.base)
        plan = _plan(workbench, start, Goal("ratio", asked.ratio), method, locked, scan)
        trial = TrialRecord(asked.number, least)
        result = yield from recorded_jobs.finetune(
            workbench, start, plan, experiment, stop, search=trial, allocate=method
        )
        return start, plan, result

    heaviest, lightest = size_bounds(workbench, base, locked)
    return (
        yield from search(
            attempt,
            least=least,
            floor=heaviest.ratio * LEAST,
            most=lightest.ratio,
            trials=trials,
            start=start,
            stop=stop,
        )
    )


def size_bounds(
    workbench: Workbench, base: Net, locked: Mapping[str, float]
) -> tuple[Footprint, Footprint]:
    """Bounds on the size: unlocked layers keep all that the base has, or one weight."""
    never_pruned = workbench.parameters - sum(profile.layer.elements for profile in base.profiles)
    most = least = never_pruned
    for profile in base.profiles:
        kept = profile.what_if(locked.get(profile.layer.name, profile.floor)).kept
        most += kept
        least += kept if profile.layer.name in locked else min(kept, 1)
    return Footprint(workbench.parameters, most), Footprint(workbench.parameters, least)


def base_scan(
    workbench: Workbench, base: Net, experiment: Experiment, stop: StopFlag = never
) -> Stream[Scan]:
    """The scan of `base` on validation: from the experiment, or made now and stored there."""
    yield from workbench.splits(stop)
    kept = load_scan(experiment.folder, base.digest, SPLITS[0], workbench.data_name).scan
    if kept is not None and kept.exact:
        return kept
    scan = yield from measurement.scan(workbench, base.weights, stop=stop)
    yield from store_scan(workbench, base.digest, scan, experiment)
    if scan.stopped:
        raise StoppedError("stopped while scanning: the partial scan is kept")
    return scan


def store_scan(
    workbench: Workbench, digest: str, scan: Scan, experiment: Experiment
) -> Stream[None]:
    """Store a scan with the experiment, or send a warning if that fails."""
    try:
        save_scan(experiment.folder, digest, scan, workbench.data_name)
    except InputError as error:
        yield Notice(f"the scan could not be stored: {error}", warning=True)


def needs_scan(method: str) -> bool:
    """Whether the method needs a scan."""
    return method == SENSITIVITY


def _plan(
    workbench: Workbench,
    base: Net,
    goal: Goal,
    method: str,
    locked: Mapping[str, float],
    scan: Scan | None,
) -> Plan:
    return allocate(
        method,
        base.profiles,
        goal.budget(workbench.parameters),
        other_parameters=base.other_parameters,
        locked=locked,
        scan=scan,
        dense=base.accuracy.validation,
    )
