"""What a search for the lightest net looks for. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import InputError
from core.lightest.steps import START
from core.lightest.trials import By
from core.pruning.goals import DEFAULT_ALLOCATION


@dataclass(frozen=True)
class Search:
    """What to look for, and how.

    Attributes:
        max_drop: allowed drop in validation accuracy below the dense net's, in points.
        by: what nets are judged by, see `trials.COSTS`.
        method: the allocation method.
        locked: layers fixed at these sparsities.
        start: the first ratio to try.
        minutes: a limit on the time, of which every seed gets the same share; None for none.

    Raises InputError if the first ratio is not above 1.
    """

    max_drop: float
    by: By = "parameters"
    method: str = DEFAULT_ALLOCATION
    locked: Mapping[str, float] = field(default_factory=dict)
    start: float = START
    minutes: float | None = None

    def __post_init__(self) -> None:
        if not 1 < self.start < float("inf"):
            raise InputError(f"a descent starting at {self.start}x: expected a ratio above 1")
