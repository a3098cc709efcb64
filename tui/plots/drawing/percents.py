"""Accuracies and sparsities in percent: as numbers, as text, as an axis."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.plots.drawing.ticks import Axis, Tick, linear_ticks

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50)


def percents(values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers from 0 to 100, NaN for what is not finite."""
    array: NDArray[np.float64] = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array.clip(0, 100), np.nan)


def percent_or_nan(value: float | None) -> float:
    """Return a number from 0 to 100, NaN if missing or not finite."""
    return float(percents(math.nan if value is None else value))


def percent_rows(rows: Sequence[Sequence[float]], columns: int, last: float) -> NDArray[np.float64]:
    """Return rows [N, columns] whose first value is from 0 to `last`, in order of that value.

    The second value is a percentage, NaN for a gap.
    """
    table: NDArray[np.float64] = np.array(rows, dtype=float).reshape(-1, columns)
    table = table[(table[:, 0] >= 0) & (table[:, 0] <= last)]
    table[:, 1] = percents(table[:, 1])
    return table[np.argsort(table[:, 0], kind="stable")]


def short_percent(value: float) -> str:
    """Format a percentage with at most two decimals, like displayed sparsities.

    Examples:
        >>> short_percent(95), short_percent(97.5)
        ('95 %', '97.5 %')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") + " %"


def points(value: float) -> str:
    """Format a difference of percentages with one decimal, or two if useful.

    Examples:
        >>> points(1), points(0.25)
        ('1.0', '0.25')
    """
    return f"{value:.2f}".removesuffix("0")


def percent_axis(low: float, high: float, rows: int) -> Axis:
    """Return an axis around percentages, with round ticks in separate rows.

    Its limits are multiples of half a step, so they stay put between redraws.
    """
    parts = max(1, min(rows - 1, 6))
    for step in _STEPS:
        half = step / 2
        lower = max(0.0, math.floor(low / half + 1e-6) * half)
        upper = min(100.0, math.ceil(high / half - 1e-6) * half)
        if lower < upper and (upper - lower) / step <= parts + 1e-6:
            break
    else:
        lower, upper, step = 0.0, 100.0, 50.0 if rows > 2 else 100.0
    return Axis(lower, upper, percent_ticks(lower, upper, step))


def percent_ticks(lower: float, upper: float, step: float) -> tuple[Tick, ...]:
    """Return a tick at each multiple of a step; 100 % has no decimals."""
    ticks = linear_ticks(lower, upper, step, " %")
    return tuple(tick._replace(text=tick.text.replace("100.0", "100")) for tick in ticks)
