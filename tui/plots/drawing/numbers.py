"""Numbers formatted for plots, and numbers cleaned for drawing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Units = tuple[tuple[float, str], ...]
COUNTS: Units = ((1e9, "G"), (1e6, "M"), (1e3, "K"), (1, ""))
BYTES: Units = ((2.0**30, " GiB"), (2.0**20, " MiB"), (2.0**10, " KiB"), (1, " B"))


def unit(number: float, units: Units) -> tuple[float, str]:
    """Return the largest unit that a number has at least one of."""
    return next(((size, name) for size, name in units if number >= size), units[-1])


def short(number: float) -> str:
    """Format a number in its unit, with a decimal if useful.

    Examples:
        >>> short(950), short(25600), short(102760448)
        ('950', '25.6K', '102.8M')
    """
    size, name = unit(number, COUNTS)
    amount = number / size
    return (f"{amount:.0f}" if size == 1 else f"{amount:,.1f}".removesuffix(".0")) + name


def count(number: float) -> str:
    """Format a count, in full as long as that stays readable.

    Examples:
        >>> count(147712), count(102760448)
        ('147,712', '102.8M')
    """
    return f"{number:,.0f}" if number < 1e6 else short(number)


def volume(number: float) -> str:
    """Format a number of bytes.

    Examples:
        >>> volume(812), volume(4096)
        ('812 B', '4.0 KiB')
    """
    size, name = unit(number, BYTES)
    return f"{number / size:,.{int(size > 1)}f}{name}"


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
