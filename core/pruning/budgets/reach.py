"""Whether a budget can be met, and what to ask for where it cannot; what a plan costs, in words."""

import math
from collections.abc import Callable, Mapping

from core.errors import InputError
from core.pruning.budgets.costs import NetCosts

_NAMES = {"parameters": "nonzero parameters", "macs": "multiplications"}
_Rounding = Callable[[float], int]


def room(budget: int, costs: NetCosts, sizes: Mapping[str, int], held: Mapping[str, int]) -> float:
    """What a budget leaves for the unlocked layers.

    `sizes` are the most weights each layer can keep, `held` those that the locked ones keep. Raises
    InputError, which names what can be reached, if the budget is not between the least and the most
    that the net can cost.
    """
    locked = sum(costs.layers[name].at(kept) for name, kept in held.items())
    free = {name: costs.layers[name] for name in sizes if name not in held}
    taken = costs.fixed + locked
    least = taken + sum(layer.at(0) for layer in free.values())
    most = taken + sum(layer.at(sizes[name]) for name, layer in free.items())
    if budget < least:
        raise InputError(_too_low(budget, costs, least, locked))
    if budget > most:
        raise InputError(_too_high(budget, costs, most, bool(held)))
    return budget - taken


def of_dense(costs: NetCosts, kept: Mapping[str, int]) -> str:
    """What a net costs with this many weights in each layer, and what the dense net does.

    Examples:
        >>> from core.pruning.budgets.costs import LayerCosts
        >>> of_dense(NetCosts("macs", {"fc": LayerCosts.per_weight(500, 9)}, 40), {"fc": 100})
        '940 of 4,540 multiplications'
        >>> of_dense(NetCosts("ns", {"fc": LayerCosts.per_weight(500, 90)}, 7e3), {"fc": 100})
        '0.016 of 0.052 ms'
    """
    cost = costs.of(kept)
    if costs.unit == "ns":
        dense = _milliseconds(costs.dense, round)
        return f"{_milliseconds(cost, round).removesuffix(' ms')} of {dense}"
    return f"{round(cost):,} of {round(costs.dense):,} {_NAMES[costs.unit]}"


def _too_low(budget: int, costs: NetCosts, least: float, locked: float) -> str:
    expected = f"expected {_bound(costs, least, math.ceil, 'at least')}"
    if costs.unit == "ns":
        with_locks = " with these layers locked" if locked else ""
        time = _milliseconds(least, math.ceil)
        return (
            f"goal of {_milliseconds(budget, round)}: the net takes at least {time} here, however "
            f"sparse it is{with_locks}; {expected}"
        )
    never = f"{math.ceil(least - locked):,} are never pruned"
    in_locks = f" and {math.ceil(locked):,} are in locked layers" if locked else ""
    return f"goal of {budget:,} {_NAMES[costs.unit]}: {never}{in_locks}; {expected}"


def _too_high(budget: int, costs: NetCosts, most: float, has_locks: bool) -> str:
    with_locks = " with these layers locked" if has_locks else ""
    expected = f"expected {_bound(costs, most, math.floor, 'at most')}"
    if costs.unit == "ns":
        goal, time = _milliseconds(budget, round), _milliseconds(most, math.floor)
        return f"goal of {goal}: the base takes only {time} here{with_locks}; {expected}"
    has = f"the base has only {math.floor(most):,} left{with_locks}"
    return f"goal of {budget:,} {_NAMES[costs.unit]}: {has}; {expected}"


def _bound(costs: NetCosts, bound: float, rounding: _Rounding, at: str) -> str:
    """The bound, and the same relative to the dense net, rounded to what can be reached."""
    if costs.unit == "ns":
        return f"{at} {_milliseconds(bound, rounding)}"
    if costs.unit == "macs":
        percent = rounding(10_000 * bound / costs.dense) / 100 if costs.dense else 100.0
        return f"{at} {rounding(bound):,}, or {percent:g} % macs"
    down, other_way = (math.floor, "at most") if rounding is math.ceil else (math.ceil, "at least")
    ratio = down(100 * costs.dense / bound) / 100 if bound else math.inf
    return f"{at} {rounding(bound):,}, or a ratio of {other_way} {ratio:,}x"


def _milliseconds(nanoseconds: float, rounding: _Rounding) -> str:
    return f"{rounding(nanoseconds / 1000) / 1000:g} ms"
