"""From a budget, how many parameters may be nonzero in all, to a sparsity for every layer.

Every method ranks the weights, see `scores`, and the allocation is the highest bar that
enough of them reach, filled up in the order of the layers where several weights are at the bar. So
the budget is met to the last weight, and a smaller one never keeps more of any layer.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from core.errors import InputError
from core.pruning import scores
from core.pruning.curves import Scan
from core.pruning.goals import METHODS, SENSITIVITY
from core.pruning.plans import Plan, check_sparsity
from core.pruning.scores import LEVEL, LayerRanking, SensitivityRanking, nonzero, sensitivity
from core.pruning.what_if import Profile

_RANKING_OF: dict[str, Callable[[Profile], LayerRanking]] = {
    "uniform": scores.uniform,
    "erk": scores.erk,
    "magnitude": scores.magnitude,
    "lamp": scores.lamp,
    "han": scores.han,
}

NOTHING_LOCKED: Mapping[str, float] = MappingProxyType({})

# The bits of the floats that are not negative are in the floats' own order (IEEE 754).
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
    """Plan a net that has `budget` nonzero parameters, not one more and not one less.

    Of weights that are equal in magnitude a threshold takes all or none, so that what is kept may
    fall short of the plan by those at the threshold; it is never more.

    Args:
        method: one of `goals.METHODS`.
        profiles: the layers of the base, in order.
        budget: nonzero parameters in all, as `Goal.budget` gives them; biases and
            `other_parameters` are never pruned and are taken from it first.
        other_parameters: those outside the layers.
        locked: the sparsities of layers that stay as they are planned.
        scan: of the base; `sensitivity` needs it.
        dense: the accuracy of the base where it was scanned, in percent; `sensitivity` needs it.

    Raises:
        InputError: there is no such method or locked layer, all are locked, the scan that the
            method needs is not there or not of these layers, or the budget is less than what is
            never pruned and what is locked, or more than the base has left.
    """
    free = _unlocked(profiles, locked)
    rankings = _rankings(method, free, scan, dense)
    weights = _weights(profiles, locked, budget, other_parameters)
    return _plan(profiles, locked, _distribute(rankings, weights))


def plan_for_tolerance(
    profiles: Sequence[Profile],
    scan: Scan,
    dense: float,
    tolerance: float,
    locked: Mapping[str, float] = NOTHING_LOCKED,
) -> Plan:
    """Plan each layer as sparse as its curve allows for a drop of `tolerance` points, alone.

    How light the net is comes of it; pruned together, the layers cost more than each alone. The
    curves are those of `rankings.sensitivity`.

    Raises:
        InputError: the tolerance is no number from 0 up, the scan is not of these layers, there
            is no such locked layer, or all are locked.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance {tolerance}: expected points of accuracy, 0 or more")
    free = _unlocked(profiles, locked)
    beyond = math.nextafter(tolerance, math.inf)
    curves = [_sensitivity_ranking(profile, scan, dense, level=0.0) for profile in free]
    return _plan(profiles, locked, [curve.count(beyond) for curve in curves])


def _unlocked(profiles: Sequence[Profile], locked: Mapping[str, float]) -> list[Profile]:
    names = [profile.layer.name for profile in profiles]
    for name, sparsity in locked.items():
        if name not in names:
            raise InputError(f"unknown layer '{name}': expected one of {', '.join(names)}")
        check_sparsity(sparsity, name)
    if all(name in locked for name in names):
        raise InputError("every layer is locked: unlock one for the goal to act on")
    return [profile for profile in profiles if profile.layer.name not in locked]


def _rankings(
    method: str, profiles: Sequence[Profile], scan: Scan | None, dense: float | None
) -> list[LayerRanking]:
    if method not in METHODS:
        raise InputError(f"unknown method '{method}': expected one of {', '.join(METHODS)}")
    if method != SENSITIVITY:
        return [_RANKING_OF[method](profile) for profile in profiles]
    if scan is None or dense is None:
        raise InputError(f"'{SENSITIVITY}' needs a scan: press s first, or run featherweight scan")
    return [_sensitivity_ranking(profile, scan, dense) for profile in profiles]


def _sensitivity_ranking(
    profile: Profile, scan: Scan, dense: float, level: float = LEVEL
) -> SensitivityRanking:
    name = profile.layer.name
    if name not in scan.layers:
        raise InputError(f"the scan has no layer '{name}': scan this net")
    points = scan.layers[name]
    if not any(point.images for point in points):
        raise InputError(f"the scan has measured nothing of layer '{name}': let it run on")
    return sensitivity(profile, points, dense, level)


def _weights(
    profiles: Sequence[Profile], locked: Mapping[str, float], budget: int, other_parameters: int
) -> int:
    """What the budget leaves for the weights of the layers that are not locked."""
    parameters = sum(profile.layer.parameters for profile in profiles) + other_parameters
    never = parameters - sum(profile.layer.elements for profile in profiles)
    held, left = 0, 0
    for profile in profiles:
        if profile.layer.name in locked:
            held += min(profile.cut(locked[profile.layer.name]).kept, nonzero(profile))
        else:
            left += nonzero(profile)
    least, most = never + held, never + held + left
    if budget < least:
        raise InputError(
            f"a goal of {budget:,} nonzero parameters: {never:,} are never pruned"
            f"{f' and {held:,} are in locked layers' if held else ''}; expected {least:,} or more, "
            f"which is {_ratio(parameters, least, math.floor):,}x at most"
        )
    if budget > most:
        raise InputError(
            f"a goal of {budget:,} nonzero parameters: the base has only {most:,} left to keep"
            f"{', as the locked layers are' if locked else ''}; expected no more, "
            f"which is {_ratio(parameters, most, math.ceil):,}x at least"
        )
    return budget - least


def _ratio(parameters: int, left: int, rounded: Callable[[float], int]) -> float:
    """To the hundredth on the side that can be reached."""
    return rounded(100 * parameters / left) / 100 if left else math.inf


def _distribute(rankings: Sequence[LayerRanking], weights: int) -> list[int]:
    """How many weights each layer keeps, `weights` in all: see the module's docstring."""

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
    counts = iter(kept)
    return {
        layer.name: locked[layer.name]
        if layer.name in locked
        else (layer.elements - next(counts)) / layer.elements
        for layer in (profile.layer for profile in profiles)
    }
