"""What each layer costs, for the columns that only a wide table has."""

from __future__ import annotations

from dataclasses import dataclass

from tui.state.state import State
from tui.text.format import short

STEP = 0.05
"""How much more sparsity the column of the next step asks about."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A column.

    Attributes:
        head: its name.
        width: its cells, the gap before it included.
        texts: one for each layer.
        role: of the texts.
    """

    head: str
    width: int
    texts: tuple[str, ...]
    role: str = "plain"


def facts(state: State) -> tuple[Fact, ...]:
    """The columns for which there are data, the most important first."""
    return (*_drops(state), *_flops(state))


def _drops(state: State) -> tuple[Fact, ...]:
    """The points lost if only this layer were pruned, to the plan and by one more step.

    Beyond the scan, the loss is more than at its last sparsity.
    """
    base, scan = state.base, state.base_scan
    if base is None or scan is None:
        return ()
    from core.pruning.forecast import drop, scanned_to  # late: loads NumPy

    dense = base.accuracy.validation if scan.split == "validation" else base.accuracy.test
    now, more = [], []
    for profile in state.profiles:
        sparsity = state.planned[profile.layer.name]
        last, next_ = scanned_to(scan, profile), min(1.0, round(sparsity + STEP, 4))
        at_plan = drop(scan, profile, min(sparsity, last), dense)
        after = drop(scan, profile, next_, dense) if next_ <= last else None
        beyond = ">" * (sparsity > last)
        now.append("–" if at_plan is None else f"{beyond}{at_plan:.1f}")
        more.append("–" if after is None or at_plan is None else f"+{after - at_plan:.1f}")
    return (Fact("drop", 7, tuple(now), "pruned"), Fact(f"at +{STEP:.0%}", 8, tuple(more), "muted"))


def _flops(state: State) -> tuple[Fact, ...]:
    """Dense FLOPs of one image, once they were counted."""
    if state.layer_activity is None:
        return ()
    from core.measure.costs import FLOPS_PER_MAC  # late: loads NumPy

    counted = state.layer_activity.result.activity.layers
    flops = [counted[name].macs if name in counted else None for name in state.layer_names]
    texts = ("–" if macs is None else short(FLOPS_PER_MAC * macs) for macs in flops)
    return (Fact("FLOPs", 9, tuple(texts)),)
