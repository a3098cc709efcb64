"""Jobs for goals: a plan for a size, and the smallest net for an accuracy."""

from collections.abc import Mapping, Sequence

from core.errors import InputError, StoppedError
from core.events import Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.run_record import TrialRecord
from core.experiments.saved_scans import load_scan, save_scan
from core.jobs import measurement, recorded_jobs
from core.jobs.net import Net
from core.jobs.search import LEAST, START, TRIALS, SearchResult, Trial, TrialOutcome, search
from core.jobs.workbench import Workbench
from core.nets.footprint import Footprint
from core.pruning.allocation import allocate, check_room
from core.pruning.budgets.costs import NetCosts, parameter_costs
from core.pruning.budgets.reach import of_dense
from core.pruning.curves import SPLITS, Scan
from core.pruning.goals import NEEDING_SCAN, Goal
from core.pruning.plans import Plan
from core.pruning.what_if import Profile


def plan_for(
    workbench: Workbench,
    base: Net,
    goal: Goal,
    method: str,
    locked: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
) -> Stream[Plan]:
    """Plan sparsities that meet `goal` by `method`.

    Counts multiplications or times the layers first if the goal is one of those, and scans the base
    if the method needs it.

    Raises:
        InputError: the goal is out of reach, or see `allocation.allocate`.
    """
    costs = yield from measurement.costs_in(workbench, base.weights, goal.unit, stop)
    check_room(base.profiles, costs, goal.budget(round(costs.dense)), locked)
    scan = yield from _scan_for(method, workbench, base, experiment, stop)
    profiles = yield from workbench.profiles(base, stop)
    plan = _plan(base, profiles, costs, goal, method, locked, scan)
    kept = {p.layer.name: p.what_if(plan[p.layer.name]).kept for p in profiles}
    yield Notice(f"{goal} by {method}: {of_dense(costs, kept)}")
    return plan


def search_for(
    workbench: Workbench,
    base: Net,
    max_drop: float,
    method: str,
    locked: Mapping[str, float],
    experiment: Experiment,
    trials: int = TRIALS,
    start: float = START,
    stop: StopFlag = never,
) -> Stream[SearchResult]:
    """Find the smallest net within `max_drop` points of the dense net's validation accuracy.

    Every trial is a fine-tuning to a plan by `method`, recorded as a run of `experiment`. It
    starts from the smallest net that passed, as in the iterations of Han et al. (2015), or from
    `base` if none has. See `search.search`.
    """
    scan = yield from _scan_for(method, workbench, base, experiment, stop)
    least = (base.dense or base.accuracy).validation - max_drop
    costs = parameter_costs(workbench.layers, workbench.parameters)

    def attempt(number: int, ratio: float, best: Trial | None) -> Stream[TrialOutcome]:
        net = base if best is None else workbench.net(best.result, best.base)
        profiles = yield from workbench.profiles(net, stop)
        plan = _plan(net, profiles, costs, Goal("ratio", ratio), method, locked, scan)
        trial = TrialRecord(number, least)
        result = yield from recorded_jobs.finetune(
            workbench, net, plan, experiment, stop, search=trial, allocate=method
        )
        return net, plan, result

    heaviest, lightest = size_bounds(workbench, base, locked)
    floor, most = heaviest.ratio * LEAST, lightest.ratio
    stream = search(
        attempt, least=least, floor=floor, most=most, trials=trials, start=start, stop=stop
    )
    return (yield from stream)


def size_bounds(
    workbench: Workbench, base: Net, locked: Mapping[str, float]
) -> tuple[Footprint, Footprint]:
    """The heaviest and lightest net: unlocked layers keep all nonzeros of the base, or one."""
    never_pruned = workbench.parameters - sum(profile.layer.elements for profile in base.profiles)
    most = least = never_pruned
    for profile in base.profiles:
        kept = profile.what_if(locked.get(profile.layer.name, profile.floor)).kept
        most += kept
        least += kept if profile.layer.name in locked else min(kept, 1)
    return Footprint(workbench.parameters, most), Footprint(workbench.parameters, least)


def store_scan(
    workbench: Workbench, digest: str, scan: Scan, experiment: Experiment
) -> Stream[None]:
    """Store a scan with the experiment, or send a warning if that fails."""
    try:
        save_scan(experiment.folder, digest, scan, workbench.data_name)
    except InputError as error:
        text = f"the scan could not be stored: {error}"
        yield Notice(text, warning=True, lost=experiment.required)


def _scan_for(
    method: str, workbench: Workbench, base: Net, experiment: Experiment, stop: StopFlag
) -> Stream[Scan | None]:
    """A scan of `base` on validation, stored with the experiment; None if `method` needs none."""
    if method not in NEEDING_SCAN:
        return None
    yield from workbench.splits(stop)
    scan = load_scan(
        experiment.folder, base.digest, SPLITS[0], workbench.data_name, workbench.repair
    ).scan
    if scan is not None and scan.exact:
        return scan
    scan = yield from measurement.scan(workbench, base.weights, stop=stop)
    yield from store_scan(workbench, base.digest, scan, experiment)
    if scan.stopped:
        raise StoppedError("stopped while scanning: the partial scan is stored")
    return scan


def _plan(
    base: Net,
    profiles: Sequence[Profile],
    costs: NetCosts,
    goal: Goal,
    method: str,
    locked: Mapping[str, float],
    scan: Scan | None,
) -> Plan:
    budget, dense = goal.budget(round(costs.dense)), base.accuracy.validation
    return allocate(method, profiles, budget, costs, locked=locked, scan=scan, dense=dense)
