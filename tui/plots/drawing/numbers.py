"""Numbers formatted for plots, and numbers cleaned for drawing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.text.units import short


def count(number: float) -> str:
    """Format a count, in full as long as that stays readable.

    Examples:
        >>> count(147712), count(102760448)
        ('147,712', '102.8M')
    """
    return f"{number:,.0f}" if number < 1e6 else short(number)


def percent(part: float, whole: float) -> str:
    """Format a part of a whole in percent.

    Examples:
        >>> percent(1312, 25632), percent(0, 0)
        ('5.1 %', '-')
    """
    return f"{100 * part / whole:.1f} %" if whole else "-"


def ratio(part: float, whole: float) -> str:
    """Format a whole over its part as a ratio.

    Examples:
        >>> ratio(7, 84), ratio(0, 84)
        ('12.0x', '-')
    """
    return f"{whole / part:,.1f}x" if part else "-"


def aligned(columns: Sequence[Sequence[str]]) -> list[str]:
    """Join columns of text into lines, each column right-aligned after a space."""
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return ["".join(f" {text:>{w}}" for text, w in zip(row, widths, strict=True)) for row in rows]


def amounts(values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers clamped to a drawable range from 0, with NaN as 0."""
    array: NDArray[np.float64] = np.asarray(values, dtype=float).ravel()
    return np.nan_to_num(array, nan=0.0).clip(0, 1e15)
