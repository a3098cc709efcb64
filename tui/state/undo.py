"""Undo points, and how much memory they may take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.pruning.plans import Plan
from tui.state.results import Result
from tui.state.training_curve import TrainingCurve

if TYPE_CHECKING:
    from core.jobs.net import Net
    from core.settings.settings import Settings

UNDO_LIMIT = 500

RESULTS = ("finetuned", "reconstructed", "pruned")
"""The results of a state, from the one furthest on."""

UNDO_PARAMETERS = 1 << 26
"""Maximum parameters of all nets in undo points: half a gigabyte with the screen's data."""


@dataclass(frozen=True, slots=True, eq=False)
class UndoPoint:
    """What undo restores: sparsities, recipe and results."""

    dense: Net | None
    base: Net | None
    plan: Plan | None
    pruned: Result | None
    reconstructed: Result | None
    finetuned: Result | None
    curve: TrainingCurve | None
    settings: Settings

    def with_result_replaced(self, old: Result, new: Result) -> UndoPoint:
        """With a result replaced by a more complete one."""
        changed: dict[str, Any] = {name: new for name in RESULTS if getattr(self, name) is old}
        return replace(self, **changed)

    @property
    def nets(self) -> frozenset[Net]:
        """The nets it keeps in memory."""
        results = [result for name in RESULTS if (result := getattr(self, name))]
        nets = (self.dense, self.base, *(r.net for r in results), *(r.base for r in results))
        return frozenset(net for net in nets if net is not None)


def within_limits(past: tuple[UndoPoint, ...]) -> tuple[UndoPoint, ...]:
    """The newest points whose nets fit in memory."""
    past = past[-UNDO_LIMIT:]
    nets: set[Net] = set()
    size = 0
    for place in range(len(past) - 1, -1, -1):
        new = past[place].nets - nets
        nets |= new
        size += sum(profile.layer.elements for net in new for profile in net.profiles)
        if new and size > UNDO_PARAMETERS and place < len(past) - 1:
            return past[place + 1 :]
    return past
