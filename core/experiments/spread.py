"""The spread of a number over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean, least and greatest of some numbers.

    Example:
        >>> Spread.of([1.0, 2.0, 6.0])
        Spread(mean=3.0, low=1.0, high=6.0)
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one number."""
        return cls(mean(values), min(values), max(values))
