"""How far the next step of a descent goes, and how long it trains."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

START, GROWTH = 30.0, 2.0
"""The first ratio, and the largest factor of the single steps after it."""

SMALL = 1.25
"""Only a step of at most this factor is tried again with more epochs."""

PRECISION = 1.05
"""A descent ends when a step of at most this factor has failed."""

MOST_EFFORT = 4
"""The most that a step trains, in times of the recipe's epochs."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step to take: the ratio to reach, and how many times the recipe's epochs to train."""

    ratio: float
    effort: int = 1


@dataclass(frozen=True, slots=True)
class Steps:
    """Where a descent stands.

    From the base, it goes to a large ratio at once. A step that fails is made smaller: its factor
    becomes its square root. A small step is first tried again with twice the epochs, up to
    `MOST_EFFORT` times the recipe's: two small steps get further than one large step that trains
    for twice as long. Epochs once added stay, since the lighter the net, the harder the step.

    With several places, as many steps are taken at once, from the same net: to ratios with a common
    factor between them, of which the first are smaller than a single step and the last larger.

    Attributes:
        ratio: of the lightest net that passed; at first, of the base.
        most: the largest ratio there is.
        factor: from each ratio to the next.
        effort: how many times the recipe's epochs the next steps train.
        places: how many steps are taken at once.

    Example:
        >>> steps = Steps.begin(1.0, most=500.0)
        >>> steps.next()
        (Step(ratio=30.0, effort=1),)
        >>> steps.learn(30.0).next()
        (Step(ratio=60.0, effort=1),)
        >>> [round(step.ratio, 1) for step in steps.learn(30.0).learn(None).next()]
        [42.4]
        >>> [round(step.ratio, 1) for step in Steps.begin(1.0, most=500.0, places=2).next()]
        [5.5, 30.0]
    """

    ratio: float
    most: float
    factor: float
    effort: int = 1
    places: int = 1

    @classmethod
    def begin(cls, ratio: float, most: float, start: float = START, places: int = 1) -> Steps:
        """The steps down from a base of this ratio; the first go to `start` if that is far.

        Where that is at or beyond the largest ratio, they go halfway there.
        """
        reach = max(start / ratio, min(start, GROWTH))
        if ratio * reach >= most:
            reach = max(math.sqrt(max(most / ratio, 1.0)), PRECISION)
        return cls(ratio, most, reach ** (1 / places), places=places)

    def next(self) -> tuple[Step, ...]:
        """The next steps, the smallest first; none if the descent has ended."""
        if self.factor <= 1.0 or self.ratio >= self.most:
            return ()
        reached = (self.ratio * self.factor**place for place in range(1, self.places + 1))
        ratios = dict.fromkeys(min(ratio, self.most) for ratio in reached)
        return tuple(Step(ratio, self.effort) for ratio in ratios)

    def learn(self, passed: float | None) -> Steps:
        """After the next steps; `passed` is the ratio of the best net, None if none passed."""
        if not (steps := self.next()):
            return self
        growth = GROWTH ** (1 / (self.places // 2 + 1))
        if passed is not None:
            return replace(self, ratio=passed, factor=min(self.factor, growth))
        reach = steps[0].ratio / self.ratio
        smaller = reach ** (1 / (self.places + 1))
        if reach > GROWTH:
            return replace(self, factor=max(smaller, growth))
        if reach <= SMALL and self.effort < MOST_EFFORT:
            return replace(self, effort=2 * self.effort)
        return replace(self, factor=smaller if reach > PRECISION else 1.0)

    def expected(self) -> int:
        """The effort still to come if the next steps fail, those after pass, and so on in turn."""
        steps, effort, passes = self, 0, False
        while bracket := steps.next():
            effort += bracket[0].effort
            steps = steps.learn(bracket[0].ratio if passes else None)
            passes = not passes
        return effort
