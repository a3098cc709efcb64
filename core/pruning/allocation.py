"""From a budget, the number of nonzero parameters, to a sparsity for every layer.

Every method scores the weights, see `scores`. The allocation is the highest cutoff that enough
weights reach; ties at the cutoff are filled in layer order. The budget is therefore met to the last
weight, and a smaller budget never keeps more of any layer.
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
from core.pruning.curves import Scan
from core.pruning.goals import ALLOCATIONS, SENSITIVITY
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
    *,
    other_parameters: int = 0,
    locked: Mapping[str, float] = NOTHING_LOCKED,
    scan: Scan | None = None,
    dense: float | None = None,
) -> Plan:
    """Plan a net with exactly `budget` nonzero parameters.

    A threshold keeps all or none of the weights of equal magnitude, so a pruned net may keep fewer
    weights than planned if several are at the threshold, never more.

    Args:
        method: one of `goals.ALLOCATIONS`.
        profiles: the layers of the base, in order.
        budget: nonzero parameters in total, see `Goal.budget`. Biases and `other_parameters` are
            never pruned and are subtracted first.
        other_parameters: parameters outside the prunable layers.
        locked: sparsities of the layers to leave alone, by name, group or pattern.
        scan: a scan of the base; required by `sensitivity`.
        dense: accuracy of the base on the scanned split, in percent; required by `sensitivity`.

    Raises:
        InputError: the method or a locked layer is unknown; all layers are locked; the method needs
            a scan of these layers; or the budget is below what cannot be pruned or is locked, or
            above what the base has left.
    """
    locked = spread(locked, [profile.layer.name for profile in profiles])
    rankings = _rankings(method, _unlocked(profiles, locked), scan, dense)
    parameters = sum(profile.layer.parameters for profile in profiles) + other_parameters
    unprunable = parameters - sum(profile.layer.elements for profile in profiles)
    sizes = {profile.layer.name: profile.nonzero for profile in profiles}
    held = {
        name: min(profile.what_if(locked[name]).kept, sizes[name])
        for profile in profiles
        if (name := profile.layer.name) in locked
    }
    weights = _free_weights(budget, parameters, unprunable, sizes, held)
    return _plan(profiles, locked, _distribute(rankings, weights))


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


def check_reach(
    layers: Sequence[Layer], parameters: int, budget: int, locked: Mapping[str, float]
) -> None:
    """Raise InputError, as `allocate` does, if a dense net of `parameters` cannot meet a budget."""
    sizes = {layer.name: layer.elements for layer in layers}
    check_locked(list(sizes), locked)
    held = {name: sizes[name] - prune_count(locked[name], sizes[name]) for name in locked}
    _free_weights(budget, parameters, parameters - sum(sizes.values()), sizes, held)


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
    if method != SENSITIVITY:
        return [_RANKING_OF[method](profile) for profile in profiles]
    if scan is None or dense is None:
        raise InputError(
            f"the method '{SENSITIVITY}' needs scan=core.scan(model, data) and "
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


def _free_weights(
    budget: int, parameters: int, unprunable: int, sizes: Mapping[str, int], held: Mapping[str, int]
) -> int:
    """How many weights of unlocked layers the budget allows.

    `unprunable` parameters are never pruned, `sizes` are the most each layer can keep, `held` what
    the locked ones keep.
    """
    locked = sum(held.values())
    least = unprunable + locked
    most = least + sum(size for name, size in sizes.items() if name not in held)
    if budget < least:
        raise InputError(
            f"goal of {budget:,} nonzero parameters: {unprunable:,} are never pruned"
            f"{f' and {locked:,} are in locked layers' if locked else ''}; expected at least "
            f"{least:,}, or a ratio of at most {_ratio(parameters, least, math.floor):,}x"
        )
    if budget > most:
        raise InputError(
            f"goal of {budget:,} nonzero parameters: the base has only {most:,} left"
            f"{' with these layers locked' if held else ''}; expected at most {most:,}, "
            f"or a ratio of at least {_ratio(parameters, most, math.ceil):,}x"
        )
    return budget - least


def _ratio(parameters: int, left: int, rounding: Callable[[float], int]) -> float:
    """The ratio, rounded to hundredths toward the side that can be reached."""
    return rounding(100 * parameters / left) / 100 if left else math.inf


def _distribute(rankings: Sequence[LayerRanking], weights: int) -> list[int]:
    """How many weights each layer keeps, `weights` in total; see the module docstring."""

    def counts(place: int) -> list[int]:
        if place == len(_CUTOFFS):
            return [0] * len(rankings)
        cutoff = float(np.int64(_CUTOFFS[place]).view(np.float64))
        return [ranking.count(cutoff) for ranking in rankings]

    above = bisect_right(_CUTOFFS, -weights, key=lambda bits: -sum(counts(bits)))
    kept = counts(above)
    for layer, most in enumerate(counts(above - 1)):
        kept[layer] += min(most - kept[layer], weights - sum(kept))
    return kept


def _plan(profiles: Sequence[Profile], locked: Mapping[str, float], kept: Sequence[int]) -> Plan:
    free = (profile.layer for profile in profiles if profile.layer.name not in locked)
    pairs = zip(free, kept, strict=True)
    plan = {layer.name: (layer.elements - n) / layer.elements for layer, n in pairs} | dict(locked)
    return {profile.layer.name: plan[profile.layer.name] for profile in profiles}
