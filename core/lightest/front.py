"""The front: the least cost for each accuracy, over seeds."""

from __future__ import annotations

from dataclasses import dataclass

from core.experiments.spread import Spread
from core.lightest.trials import ROUNDING, Descent, Lightest, Trial

PARTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The drops of the front's rows, as fractions of the allowed one."""


@dataclass(frozen=True, slots=True)
class FrontRow:
    """The lightest nets that lose at most `drop` points of validation accuracy, one of each seed.

    Attributes:
        cost: as `Lightest.by` counts it.
        validation, test: accuracies in percent, of the files if nets are judged by these.
    """

    drop: float
    cost: Spread
    validation: Spread
    test: Spread


def front(found: Lightest) -> tuple[FrontRow, ...]:
    """The front, the most accurate nets first; only rows in which every seed has a net.

    A drop that allows no lighter net than a smaller one has no row.

    Example:
        >>> front(Lightest("parameters", 0.3, (0,), (), False))
        ()
    """
    rows: list[FrontRow] = []
    for part in PARTS:
        drop = part * found.max_drop
        nets = [_lightest(descent, found.max_drop - drop) for descent in found.descents]
        kept = [net for net in nets if net is not None and net.cost is not None]
        if not kept or len(kept) < len(nets):
            continue
        row = FrontRow(
            drop,
            Spread.of([net.cost or 0.0 for net in kept]),
            Spread.of([net.accuracy.validation for net in kept]),
            Spread.of([net.accuracy.test for net in kept]),
        )
        if not rows or row.cost != rows[-1].cost:
            rows.append(row)
    return tuple(rows)


def _lightest(descent: Descent, above: float) -> Trial | None:
    """The lightest net that is accurate by so many points more than is required."""
    least = descent.least + above - ROUNDING
    nets = [
        trial
        for trial in descent.trials
        if trial.cost is not None and trial.accuracy.validation >= least
    ]
    return min(nets, key=lambda trial: trial.cost or 0.0, default=None)
