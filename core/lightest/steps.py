"""How far the next step of a descent goes, and how long it trains."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

START, GROWTH = 30.0, 2.0
"""The first ratio, and the largest factor of the steps after it."""

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

    Attributes:
        ratio: of the lightest net that passed; at first, of the base.
        most: the largest ratio there is.
        factor: of the next step.
        effort: how many times the recipe's epochs it trains.

    Example:
        >>> steps = Steps.begin(1.0, most=500.0)
        >>> steps.next()
        Step(ratio=30.0, effort=1)
        >>> steps.learn(passed=True).next()
        Step(ratio=60.0, effort=1)
        >>> steps.learn(passed=True).learn(passed=False).next()
        Step(ratio=42.42640687119285, effort=1)
    """

    ratio: float
    most: float
    factor: float
    effort: int = 1

    @classmethod
    def begin(cls, ratio: float, most: float, start: float = START) -> Steps:
        """The steps down from a base of this ratio; the first goes to `start` if that is far.

        Where that is at or beyond the largest ratio, it goes halfway there.
        """
        factor = max(start / ratio, min(start, GROWTH))
        halfway = math.sqrt(max(most / ratio, 1.0))
        return cls(ratio, most, factor if ratio * factor < most else max(halfway, PRECISION))

    def next(self) -> Step | None:
        """The next step; None if the descent has ended."""
        if self.factor <= 1.0 or self.ratio >= self.most:
            return None
        return Step(min(self.ratio * self.factor, self.most), self.effort)

    def learn(self, *, passed: bool) -> Steps:
        """After the next step has passed or failed."""
        if (step := self.next()) is None:
            return self
        if passed:
            return replace(self, ratio=step.ratio, factor=min(self.factor, GROWTH))
        reach = step.ratio / self.ratio
        if reach > GROWTH:
            return replace(self, factor=max(math.sqrt(reach), GROWTH))
        if reach <= SMALL and self.effort < MOST_EFFORT:
            return replace(self, effort=2 * self.effort)
        return replace(self, factor=math.sqrt(reach) if reach > PRECISION else 1.0)

    def expected(self) -> int:
        """The effort still to come if every other step passes, the next one not."""
        steps, effort, passed = self, 0, False
        while (step := steps.next()) is not None:
            effort += step.effort
            steps, passed = steps.learn(passed=passed), not passed
        return effort
