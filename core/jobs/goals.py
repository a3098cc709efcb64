"""From a goal to a plan, with the costs and the scan that it needs."""

from collections.abc import Mapping, Sequence

from core.errors import InputError, StoppedError
from core.events import Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.saved_scans import load_scan, save_scan
from core.jobs import measurement
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.pruning.allocation import allocate, check_room
from core.pruning.budgets.costs import NetCosts
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
    scan = yield from scan_for(method, workbench, base, experiment, stop)
    profiles = yield from workbench.profiles(base, stop)
    plan = plan_by(base, profiles, costs, goal, method, locked, scan)
    kept = {p.layer.name: p.what_if(plan[p.layer.name]).kept for p in profiles}
    yield Notice(f"{goal} by {method}: {of_dense(costs, kept)}")
    return plan


def cost_bounds(base: Net, costs: NetCosts, locked: Mapping[str, float]) -> tuple[float, float]:
    """The most and the least it can cost: unlocked layers keep all nonzeros of the base, or one."""
    most, least = {}, {}
    for profile in base.profiles:
        name = profile.layer.name
        most[name] = profile.what_if(locked.get(name, profile.floor)).kept
        least[name] = most[name] if name in locked else min(most[name], 1)
    return costs.of(most), costs.of(least)


def store_scan(
    workbench: Workbench, digest: str, scan: Scan, experiment: Experiment
) -> Stream[None]:
    """Store a scan with the experiment, or send a warning if that fails."""
    try:
        save_scan(experiment.folder, digest, scan, workbench.data_name)
    except InputError as error:
        text = f"the scan could not be stored: {error}"
        yield Notice(text, warning=True, lost=experiment.required)


def scan_for(
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


def plan_by(
    scanned: Net,
    profiles: Sequence[Profile],
    costs: NetCosts,
    goal: Goal,
    method: str,
    locked: Mapping[str, float],
    scan: Scan | None,
) -> Plan:
    """Plan sparsities that meet `goal` by `method`, with the scan of `scanned` from `scan_for`.

    The profiles may be those of a net made from it since.

    Raises:
        InputError: as `plan_for` does.
    """
    budget, dense = goal.budget(round(costs.dense)), scanned.accuracy.validation
    return allocate(method, profiles, budget, costs, locked=locked, scan=scan, dense=dense)
