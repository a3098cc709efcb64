"""Results of jobs, and the key that says whether they belong to what is on the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from core.experiments.exports import Export, with_export
from core.nets.footprint import DeadUnits, Footprint, Sizes
from core.pruning.plans import Plan, prune_count

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.inference.timings import Bench
    from core.jobs.workbench import Net


@dataclass(frozen=True, slots=True)
class ResultKey:
    """What a result was measured on; `State.is_current` compares it with what is on the screen.

    Two plans are the same where they drop as many weights of each layer.

    Attributes:
        base: the net the plan was applied to.
        dropped: how many weights of each layer the plan drops.
    """

    base: Net
    dropped: tuple[int, ...]

    @classmethod
    def of(cls, base: Net, plan: Plan) -> ResultKey:
        """The key of a plan for a base."""
        layers = (profile.layer for profile in base.profiles)
        return cls(base, tuple(prune_count(plan[it.name], it.elements) for it in layers))


class Keyed(Protocol):
    """Anything measured on a base with a plan."""

    @property
    def key(self) -> ResultKey:
        """What it was measured on."""


@dataclass(frozen=True, eq=False)
class Result:
    """What pruning or fine-tuning to a plan gave.

    Attributes:
        base: the net that was pruned.
        accuracy: measured; while a job runs, the base's until its own is known.
        net: the fine-tuned net, which can be adopted; None after pruning alone.
        seconds: how long it took.
        dead: its dead units, where they are known.
        sizes: its size in files, where that was measured.
        exports: the files it was written to, the newest last.
    """

    plan: Plan
    base: Net
    accuracy: Accuracy
    footprint: Footprint
    net: Net | None = None
    seconds: float = 0.0
    dead: DeadUnits | None = None
    sizes: Sizes | None = None
    exports: tuple[Export, ...] = ()

    @cached_property
    def key(self) -> ResultKey:
        """What it was measured on."""
        return ResultKey.of(self.base, self.plan)

    def with_new_export(self, export: Export, sizes: Sizes) -> Result:
        """With one more file."""
        return replace(self, sizes=sizes, exports=with_export(self.exports, export))


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """How fast a net is.

    Attributes:
        key: what was timed.
        tuned: the fine-tuned net that was timed; None where it was the plan applied to the base.
        bench: the comparison, as far as it is.
    """

    key: ResultKey
    tuned: Net | None
    bench: Bench
