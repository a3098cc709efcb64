"""Results of jobs, and the key that says which base, plan and criterion they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from core.criteria.names import MAGNITUDE
from core.experiments.exports import Export, with_export
from core.nets.footprint import DeadUnits, Footprint, Sizes
from core.pruning.plans import Plan, prune_count

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.inference.benchmark_result import Benchmark
    from core.jobs.net import Net
    from core.pruning.what_if import Profile
    from core.reconstruction.measured_net import ReconstructedNet
    from core.settings.settings import Settings


STALE = "stale statistics"
"""Of a net pruned without recalibration."""


def order_of(settings: Settings) -> str:
    """Names the order in which weights are pruned; empty by magnitude, which needs no seed."""
    criterion = settings.finetuning().criterion
    return "" if criterion == MAGNITUDE else f"{criterion}, seed {settings.seed}"


def shot_of(settings: Settings) -> str:
    """Names how a plan is applied in one shot: the order of the weights, and what is left stale."""
    return ", ".join(filter(None, (order_of(settings), "" if settings.recalibrates else STALE)))


def order_in(shot: str) -> str:
    """The order of the weights that a name of `shot_of` has."""
    return shot.removesuffix(STALE).removesuffix(", ")


@dataclass(frozen=True, slots=True)
class Rankings:
    """The profiles of nets by other criteria than magnitude, as far as they are known.

    Attributes:
        known: by the digest of the weights and the order.
    """

    known: Mapping[tuple[str, str], tuple[Profile, ...]] = field(default_factory=dict)

    def of(self, base: Net | None, order: str) -> tuple[Profile, ...]:
        """The profiles of a net, of its weights until they are ranked; empty without a net."""
        return () if base is None else self.known.get((base.digest, order), base.profiles)

    def lack(self, base: Net, order: str) -> bool:
        """Whether the weights of a net still have to be ranked."""
        return bool(order) and (base.digest, order) not in self.known

    def having(self, base: Net, order: str, profiles: tuple[Profile, ...]) -> Rankings:
        """With the profiles of one more net; the last few are kept."""
        last = dict(list(self.known.items())[-2:])
        return Rankings({**last, (base.digest, order): profiles})


@dataclass(frozen=True, slots=True)
class ResultKey:
    """The base and plan a result was measured on; see `State.is_current`.

    Attributes:
        dropped: number of pruned weights per layer, the same for equal plans.
        shot: how they are pruned, see `shot_of`.
    """

    base: Net
    dropped: tuple[int, ...]
    shot: str = ""

    @classmethod
    def of(cls, base: Net, plan: Plan, shot: str = "") -> ResultKey:
        """The key of a plan for a base."""
        layers = (profile.layer for profile in base.profiles)
        dropped = tuple(prune_count(plan[layer.name], layer.elements) for layer in layers)
        return cls(base, dropped, shot)


class Keyed(Protocol):
    """Anything measured on a base with a plan."""

    @property
    def key(self) -> ResultKey:
        """What it was measured on."""


@dataclass(frozen=True, eq=False)
class Result:
    """The result of pruning, reconstructing or fine-tuning to a plan.

    Attributes:
        accuracy: measured; the base's while its own is unknown.
        net: the net made; None after pruning alone, or if only its accuracy is known.
        seconds: time it took.
        dead, sizes: None until measured.
        exports: the files it was written to, the newest last.
        reconstruction: of the reconstructed net, which fine-tuning starts from.
        shot: how the plan was applied, see `shot_of`.
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
    reconstruction: ReconstructedNet | None = None
    shot: str = ""

    @cached_property
    def key(self) -> ResultKey:
        """What it was measured on; training renews statistics, stale or not."""
        shot = order_in(self.shot) if self.is_trained else self.shot
        return ResultKey.of(self.base, self.plan, shot)

    @property
    def is_trained(self) -> bool:
        """Whether it is of a fine-tuned net."""
        return self.net is not None and self.reconstruction is None

    @property
    def stage(self) -> str:
        """What was done to the base, in a word."""
        if self.reconstruction is not None:
            return "reconstructed"
        return "pruned" if self.net is None else "fine-tuned"

    def with_new_export(self, export: Export, sizes: Sizes) -> Result:
        """With one more file."""
        return replace(self, sizes=sizes, exports=with_export(self.exports, export))


def belongs(result: Keyed | None, key: ResultKey | None) -> bool:
    """Whether a result is one of this base and plan, applied this way."""
    if result is None or key is None:
        return False
    trained = isinstance(result, Result) and result.is_trained
    return result.key == (replace(key, shot=order_in(key.shot)) if trained else key)


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """A net's benchmark.

    Attributes:
        net: the benchmarked net; None if it was the plan applied to the base.
        stage: of that net, see `Result.stage`.
    """

    key: ResultKey
    net: Net | None
    benchmark: Benchmark
    stage: str = "pruned"

    def is_of(self, net: Net | None, key: ResultKey | None) -> bool:
        """Whether it is of the net made for a base and plan, or else of the plan applied."""
        return self.net is net and (net is not None or belongs(self, key))
