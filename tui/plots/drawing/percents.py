"""Accuracies and sparsities in percent: as numbers, as text, as an axis."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.plots.drawing.ticks import Axis, Tick, linear_ticks, nice_step

_BELOW = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60, 80)
"""The distances from 100 % at which an axis may begin."""

_ENDS = (20.0, 40.0, 60.0, 70.0, 80.0, 85.0, 90.0, 95.0, 98.0, 99.0, 100.0)
"""Where an axis may end."""

_HUNDRED = re.compile(r"100\.0+ %")


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
    """Return an axis around percentages, with even ticks in separate rows.

    Each limit is one of a few, and depends on its own end of the data alone: more data can only
    widen the axis, and few do.
    """
    upper = next(end for end in _ENDS if end >= min(high, 100.0) - 1e-6)
    starts = (100.0 - below for below in _BELOW)
    lower = next((at for at in starts if at <= low + 1e-6 and at < upper), 0.0)
    step = nice_step(upper - lower, max(1, min(rows - 1, 6)))
    ticks = percent_ticks(lower, upper, step)
    return Axis(lower, upper, ticks if len(ticks) > 1 else percent_ends(lower, upper))


def percent_ends(lower: float, upper: float) -> tuple[Tick, ...]:
    """Return ticks at the ends of an axis."""
    return Tick(lower, f"{lower:g} %"), Tick(upper, f"{upper:g} %")


def percent_ticks(lower: float, upper: float, step: float) -> tuple[Tick, ...]:
    """Return a tick at each multiple of a step; 100 % has no decimals."""
    ticks = linear_ticks(lower, upper, step, " %")
    return tuple(tick._replace(text=_HUNDRED.sub("100 %", tick.text)) for tick in ticks)
