"""From a budget, such as a number of nonzero parameters, to a sparsity for every layer.

Every method but dynamic programming (see `budgets.dynamic`) scores the weights, see `scores`. The
allocation is the highest cutoff that enough weights reach; ties at the cutoff are filled in layer
order. A budget of parameters is therefore met to the last weight, and a smaller budget never keeps
more of any layer. Where weights cost differently, as in multiplications or time, the same scores
decide, and the budget is the most that the weights kept may cost together.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.pruning import scores
from core.pruning.budgets.costs import LayerCosts, NetCosts
from core.pruning.budgets.dynamic import Curve, least_drop
from core.pruning.budgets.reach import room
from core.pruning.curves import Scan
from core.pruning.goals import ALLOCATIONS, DYNAMIC, NEEDING_SCAN
from core.pruning.layer_selection import spread
from core.pruning.plans import Plan, prune_count, whole_plan
from core.pruning.scores import LEVEL, LayerRanking, SensitivityRanking, sensitivity
from core.pruning.what_if import Profile

if TYPE_CHECKING:
    from core.nets.layers import Layer

_RANKING_OF: dict[str, Callable[[Profile], LayerRanking]] = {
    "uniform": scores.uniform,
    "erk": scores.erk,
    "magnitude": scores.MagnitudeRanking,
    "lamp": scores.LampRanking,
    "han": scores.han,
}

NOTHING_LOCKED: Mapping[str, float] = MappingProxyType({})

# Read as integers, the bits of nonnegative floats sort like the floats (IEEE 754).
_CUTOFFS = range(int(np.float64(np.inf).view(np.int64)) + 1)


def allocate(
    method: str,
    profiles: Sequence[Profile],
    budget: int,
    costs: NetCosts,
    *,
    locked: Mapping[str, float] = NOTHING_LOCKED,
    scan: Scan | None = None,
    dense: float | None = None,
) -> Plan:
    """Plan a net that costs at most `budget`.

    A budget of parameters is met exactly, others to within what one more weight costs. A threshold
    keeps all or none of the weights of equal magnitude, so a pruned net may keep fewer weights than
    planned if several are at the threshold, never more.

    Args:
        method: one of `goals.ALLOCATIONS`.
        profiles: the layers of the base, in order.
        budget: in total, see `Goal.budget`. What is never pruned, such as biases, is subtracted.
        costs: what it counts.
        locked: sparsities of the layers to leave alone, by name, group or pattern.
        scan: a scan of the base; required by the methods in `goals.NEEDING_SCAN`.
        dense: accuracy of the base on the scanned split, in percent; required by the same.

    Raises:
        InputError: the method or a locked layer is unknown; all layers are locked; the method needs
            a scan of these layers; or the budget is below what cannot be pruned or is locked, or
            above what the base has left.
    """
    locked = spread(locked, [profile.layer.name for profile in profiles])
    free = _unlocked(profiles, locked)
    rankings = _rankings(method, free, scan, dense)
    left = check_room(profiles, costs, budget, locked)
    each = [costs.layers[profile.layer.name] for profile in free]
    if method == DYNAMIC:
        curves = [ranking for ranking in rankings if isinstance(ranking, SensitivityRanking)]
        kept = least_drop(list(map(Curve.of, curves, each)), left)
    else:
        kept = _distribute(rankings, each, left)
    return _plan(profiles, locked, kept)


def plan_for_tolerance(
    profiles: Sequence[Profile],
    scan: Scan,
    dense: float,
    tolerance: float,
    locked: Mapping[str, float] = NOTHING_LOCKED,
) -> Plan:
    """Plan each layer as sparse as its own curve allows for a drop of `tolerance` points.

    The size of the net follows. Pruned together, layers lose more accuracy than each alone. The
    curves are those of `scores.sensitivity`.

    Raises:
        InputError: the tolerance is negative or not finite; the scan is of other layers; a locked
            layer is unknown; or all layers are locked.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance {tolerance}: expected 0 or more points of accuracy")
    locked = spread(locked, [profile.layer.name for profile in profiles])
    free = _unlocked(profiles, locked)
    beyond = math.nextafter(tolerance, math.inf)
    curves = [_sensitivity_ranking(profile, scan, dense, level=0.0) for profile in free]
    return _plan(profiles, locked, [curve.count(beyond) for curve in curves])


def check_room(
    profiles: Sequence[Profile], costs: NetCosts, budget: int, locked: Mapping[str, float]
) -> float:
    """What a budget leaves for the unlocked layers; raises InputError as `allocate` does."""
    locked = spread(locked, [profile.layer.name for profile in profiles])
    sizes = {profile.layer.name: profile.nonzero for profile in profiles}
    held = {
        name: min(profile.what_if(locked[name]).kept, sizes[name])
        for profile in profiles
        if (name := profile.layer.name) in locked
    }
    return room(budget, costs, sizes, held)


def check_reach(
    layers: Sequence[Layer], costs: NetCosts, budget: int, locked: Mapping[str, float]
) -> None:
    """Raise InputError, as `allocate` does, if a dense net with such costs cannot meet a budget."""
    sizes = {layer.name: layer.elements for layer in layers}
    check_locked(list(sizes), locked)
    held = {name: sizes[name] - prune_count(locked[name], sizes[name]) for name in locked}
    room(budget, costs, sizes, held)


def _unlocked(profiles: Sequence[Profile], locked: Mapping[str, float]) -> list[Profile]:
    check_locked([profile.layer.name for profile in profiles], locked)
    return [profile for profile in profiles if profile.layer.name not in locked]


def check_locked(names: Sequence[str], locked: Mapping[str, float]) -> None:
    """Raise InputError if a locked layer is unknown, its sparsity bad, or every layer locked."""
    whole_plan(locked, names)
    if all(name in locked for name in names):
        raise InputError("every layer is locked: unlock at least one layer")


def _rankings(
    method: str, profiles: Sequence[Profile], scan: Scan | None, dense: float | None
) -> list[LayerRanking]:
    if method not in ALLOCATIONS:
        raise InputError(f"unknown method '{method}': expected one of {', '.join(ALLOCATIONS)}")
    if method not in NEEDING_SCAN:
        return [_RANKING_OF[method](profile) for profile in profiles]
    if scan is None or dense is None:
        raise InputError(
            f"the method '{method}' needs scan=core.scan(model, data) and "
            "dense=core.evaluate(model, data).validation"
        )
    return [_sensitivity_ranking(profile, scan, dense) for profile in profiles]


def _sensitivity_ranking(
    profile: Profile, scan: Scan, dense: float, level: float = LEVEL
) -> SensitivityRanking:
    name = profile.layer.name
    if name not in scan.layers:
        raise InputError(f"the scan has no layer '{name}': scan this net first")
    points = scan.layers[name]
    if not any(point.images for point in points):
        raise InputError(f"the scan was stopped before it measured layer '{name}': run it again")
    return sensitivity(profile, points, dense, level)


def _distribute(
    rankings: Sequence[LayerRanking], costs: Sequence[LayerCosts], budget: float
) -> list[int]:
    """How many weights each layer keeps within a budget; see the module docstring."""

    def counts(place: int) -> list[int]:
        if place == len(_CUTOFFS):
            return [0] * len(rankings)
        cutoff = float(np.int64(_CUTOFFS[place]).view(np.float64))
        return [ranking.count(cutoff) for ranking in rankings]

    def cost(kept: Sequence[int]) -> float:
        return sum(layer.at(count) for layer, count in zip(costs, kept, strict=True))

    above = bisect_right(_CUTOFFS, -budget, key=lambda bits: -cost(counts(bits)))
    kept = counts(above)
    for place, most in enumerate(counts(above - 1)):
        left = budget - cost(kept) + costs[place].at(kept[place])
        kept[place] = max(kept[place], costs[place].most(left, most))
    return kept


def _plan(profiles: Sequence[Profile], locked: Mapping[str, float], kept: Sequence[int]) -> Plan:
    free = (profile.layer for profile in profiles if profile.layer.name not in locked)
    pairs = zip(free, kept, strict=True)
    plan = {layer.name: (layer.elements - n) / layer.elements for layer, n in pairs} | dict(locked)
    return {profile.layer.name: plan[profile.layer.name] for profile in profiles}
