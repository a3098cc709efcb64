"""How the plan of a trial is chosen: by a goal and a method, a preset, or sparsities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from core.errors import InputError
from core.pruning.goals import DEFAULT_ALLOCATION, Goal
from core.pruning.plans import Plan, uniform_plan, whole_plan
from core.pruning.presets import preset_plan


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """One way to a plan: exactly one of `goal`, `uniform`, `preset` and `sparsities` is set.

    Attributes:
        method: turns the goal into sparsities.
        sparsities: by layer, group or pattern.
    """

    goal: Goal | None = None
    method: str = ""
    uniform: float | None = None
    preset: str = ""
    sparsities: Mapping[str, float] | None = None

    def __str__(self) -> str:
        """A short name, such as `20x lamp` or `conv2=0.9`."""
        if self.goal is not None:
            return f"{self.goal} {self.method}"
        if self.uniform is not None:
            return f"uniform {self.uniform:.12g}"
        pairs = (f"{name}={value:.12g}" for name, value in (self.sparsities or {}).items())
        return self.preset or ",".join(pairs)

    def plan(self, model: str, layers: Sequence[str]) -> Plan | None:
        """The plan for a net with these layers; None if it depends on the weights.

        Raises InputError if the net has no such preset, or a name stands for no layer.
        """
        if self.uniform is not None:
            return uniform_plan(self.uniform, layers)
        if self.preset:
            return preset_plan(self.preset, model, layers)
        return None if self.sparsities is None else whole_plan(self.sparsities, layers)


@dataclass(frozen=True, slots=True)
class PlanAxes:
    """The lists that plans are chosen from.

    Every goal is combined with every method, and every sparsity of a layer with those of the
    others; each uniform sparsity and each preset is a plan of its own.
    """

    goals: tuple[Goal, ...] = ()
    methods: tuple[str, ...] = ()
    uniform: tuple[float, ...] = ()
    presets: tuple[str, ...] = ()
    sparsities: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def named(self) -> bool:
        """Whether any plan is chosen."""
        return bool(self.goals or self.uniform or self.presets or self.sparsities)

    def over(self, other: PlanAxes) -> PlanAxes:
        """These choices in place of others, such as those of a file; methods by themselves."""
        chosen = self if self.named else other
        return PlanAxes(
            chosen.goals,
            self.methods or other.methods,
            chosen.uniform,
            chosen.presets,
            chosen.sparsities,
        )

    def choices(self) -> tuple[PlanChoice, ...]:
        """Every choice; raises InputError for methods without a goal."""
        if self.methods and not self.goals:
            raise InputError("--allocate needs a goal: add --ratio 20,40 or --goal 28KiB")
        methods = self.methods or (DEFAULT_ALLOCATION,)
        return (
            *(PlanChoice(goal, method) for goal, method in product(self.goals, methods)),
            *(PlanChoice(uniform=sparsity) for sparsity in self.uniform),
            *(PlanChoice(preset=preset) for preset in self.presets),
            *(
                PlanChoice(sparsities=dict(zip(self.sparsities, values, strict=True)))
                for values in product(*self.sparsities.values())
                if values
            ),
        )
