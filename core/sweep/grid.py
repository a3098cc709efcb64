"""The trials of a sweep: every choice of a plan with every combination of settings and seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, TypeVar

from core.errors import InputError
from core.executors.events import TrialLabel
from core.settings.recipe_file import CHANGES, TOP
from core.settings.settings import OF_A_SESSION, OF_IMAGES, SETTINGS, Settings
from core.sweep.choices import PlanAxes, PlanChoice

T = TypeVar("T")

FIXED = (*OF_A_SESSION, *OF_IMAGES)
"""Settings that all trials of a sweep share, since they share an experiment."""

SWEPT = (*(name for name in TOP if name not in FIXED), *CHANGES)
"""Settings that may differ from trial to trial."""

MOST_TRIALS = 100_000
"""More trials than any sweep needs: a list too many."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a sweep.

    Attributes:
        number: from 1.
        varied: the settings that differ between trials, by name, without the seed.
    """

    number: int
    settings: Settings
    choice: PlanChoice
    varied: Mapping[str, Any]

    @property
    def group(self) -> str:
        """What it shares with the trials that differ only in their seed: `10x lamp, lr 0.001`."""
        items = self.varied.items()
        words = (f"{name.replace('_', ' ')} {_shown(name, value)}" for name, value in items)
        return ", ".join((str(self.choice), *words))

    @property
    def label(self) -> TrialLabel:
        """Which trial it is, for those who watch the sweep."""
        return TrialLabel(self.number, self.group, self.settings.seed)


@dataclass(frozen=True, slots=True)
class Grid:
    """The lists of a sweep.

    Attributes:
        plans: the lists that plans are chosen from.
        axes: the values of settings, by name.
    """

    plans: PlanAxes = field(default_factory=PlanAxes)
    axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def over(self, other: Grid) -> Grid:
        """These lists in place of others of the same name, such as those of a file."""
        return Grid(self.plans.over(other.plans), {**other.axes, **self.axes})

    def trials(self, settings_with: Callable[[Mapping[str, Any]], Settings]) -> tuple[Trial, ...]:
        """All trials, the seeds of one plan after another.

        Args:
            settings_with: the settings of a trial, from those that the lists give.

        Raises InputError if there are too many, or settings conflict.
        """
        choices = self.plans.choices()
        axes = self._ordered()
        count = len(choices) * prod(map(len, axes.values()))
        if count > MOST_TRIALS:
            raise InputError(f"{count:,} trials: expected at most {MOST_TRIALS:,}; shorten a list")
        varying = [name for name, values in axes.items() if len(values) > 1 and name != "seed"]
        result: list[Trial] = []
        for choice, values in product(choices, product(*axes.values())):
            given = dict(zip(axes, values, strict=True))
            varied = {name: given[name] for name in varying}
            result.append(Trial(len(result) + 1, settings_with(given), choice, varied))
        return tuple(result)

    def count_text(self) -> str:
        """How many trials there are, and why: `24 trials: 8 plans x 3 seeds`."""
        choices = len(self.plans.choices())
        lists = {"plan": choices} | {
            SETTINGS[name].label: len(values) for name, values in self._ordered().items()
        }
        parts = [_several(name, n) for name, n in lists.items() if n > 1]
        count = prod(lists.values())
        factors = f": {' x '.join(parts)}" if len(parts) > 1 else ""
        return f"{count:,} trial{'s' * (count != 1)}{factors}"

    def _ordered(self) -> dict[str, tuple[Any, ...]]:
        """The axes of settings, seeds last."""
        return dict(sorted(self.axes.items(), key=lambda axis: axis[0] == "seed"))


def distinct(values: Sequence[T], what: str) -> tuple[T, ...]:
    """The values of a list; raises InputError if it is empty or names one twice."""
    if not values:
        raise InputError(f"{what}: an empty list; expected at least one value")
    for place, value in enumerate(values):
        if value in values[:place]:
            text = f"{value:.12g}" if isinstance(value, float) else value
            raise InputError(f"{what}: {text} is given twice; name each value once")
    return tuple(values)


def _several(name: str, number: int) -> str:
    """Plans and seeds can be counted, of a setting only its values: `2 values of epochs`."""
    return f"{number} {name}s" if name in ("plan", "seed") else f"{number} values of {name}"


def _shown(name: str, value: Any) -> str:
    return SETTINGS[name].kind.shown(value)
