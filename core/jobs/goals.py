"""From a goal to a plan, with the scan that some methods need."""

from collections.abc import Mapping

from core.errors import InputError, StoppedError
from core.events import Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.saved_scans import load_scan, save_scan
from core.jobs import measurement
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
    """Plan sparsities that meet `goal` by `method`; scans the base first if the method needs it.

    Raises:
        InputError: the goal is out of reach, or see `allocation.allocate`.
    """
    scan = yield from scan_for(method, workbench, base, experiment, stop)
    return plan_by(workbench, base, goal, method, locked, scan)


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


def scan_for(
    method: str, workbench: Workbench, base: Net, experiment: Experiment, stop: StopFlag
) -> Stream[Scan | None]:
    """A scan of `base` on validation, stored with the experiment; None if `method` needs none."""
    if method != SENSITIVITY:
        return None
    yield from workbench.splits(stop)
    scan = load_scan(experiment.folder, base.digest, SPLITS[0], workbench.data_name).scan
    if scan is not None and scan.exact:
        return scan
    scan = yield from measurement.scan(workbench, base.weights, stop=stop)
    yield from store_scan(workbench, base.digest, scan, experiment)
    if scan.stopped:
        raise StoppedError("stopped while scanning: the partial scan is stored")
    return scan


def plan_by(
    workbench: Workbench,
    base: Net,
    goal: Goal,
    method: str,
    locked: Mapping[str, float],
    scan: Scan | None,
) -> Plan:
    """Plan sparsities that meet `goal` by `method`, with the scan from `scan_for`.

    Raises:
        InputError: as `plan_for` does.
    """
    budget, other = goal.budget(workbench.parameters), base.other_parameters
    dense = base.accuracy.validation
    return allocate(
        method, base.profiles, budget, other_parameters=other, locked=locked, scan=scan, dense=dense
    )
