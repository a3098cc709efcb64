"""Axes and their ticks: the positions of values and labels."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.text.units import Units, short, unit


class Tick(NamedTuple):
    """A labeled position on an axis."""

    at: float
    text: str
    role: str = "label"


class Axis(NamedTuple):
    """A linear axis: its span, ticks and name."""

    lower: float
    upper: float
    ticks: tuple[Tick, ...] = ()
    name: str = ""

    def scale(self, values: ArrayLike) -> NDArray[np.float64]:
        """Scale values to 0..1, clamped to the axis; NaN if not finite."""
        array: NDArray[np.float64] = np.asarray(values, dtype=float).ravel()
        array = np.where(np.isfinite(array), array, np.nan)
        shares = (np.clip(array, self.lower, self.upper) - self.lower) / (self.upper - self.lower)
        # The end of an axis belongs to its last cell, not to the next one.
        return np.minimum(shares, 1 - 1e-9)

    def cell(self, value: float, cells: int) -> int:
        """Return which of the axis's cells a value lies in, clamped to the axis."""
        return int(self.scale(value)[0] * cells)


def nice_step(span: float, parts: int) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, ... that divides a span into at most `parts` parts.

    Examples:
        >>> nice_step(0.24, 6), nice_step(1.4, 4)
        (0.05, 0.5)
    """
    rough = span / max(1, parts)
    power = math.floor(math.log10(rough))
    factor = next((factor for factor in (1, 2, 5) if factor * 10.0**power >= rough), 10)
    return float(f"{factor}e{power}")


def linear_ticks(lower: float, upper: float, step: float, suffix: str = "") -> tuple[Tick, ...]:
    """Return a tick at each multiple of a step, all with the same number of decimals."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(lower / step - 1e-6), math.floor(upper / step + 1e-6)
    style = f".{decimals}f" if decimals < 6 and max(abs(lower), abs(upper)) < 1e6 else ".1e"
    places = (index * step for index in range(first, last + 1))
    return tuple(Tick(at, (f"{at:{style}}" if at else "0") + suffix) for at in places)


def epoch_axis(epochs: float, width: int) -> Axis:
    """Return an axis of epochs from 0."""
    step = max(1, nice_step(epochs, width // 5))
    # The name is as wide as the widest percentage, so that new limits do not move the area.
    return Axis(0, epochs, linear_ticks(0, epochs, step), "epoch ")


def unit_ticks(upper: float, parts: int, units: Units) -> tuple[Tick, ...]:
    """Return ticks from 0 that are round numbers of a unit."""
    size, name = unit(upper, units)
    step = nice_step(upper / size, parts)
    ticks = linear_ticks(0, upper / size, step, name)
    return (Tick(0, "0"), *(Tick(tick.at * size, tick.text) for tick in ticks[1:]))


def sqrt_ticks(upper: float, rows: int) -> tuple[Tick, ...]:
    """Return ticks of round counts up to `upper` on a square root scale, in separate rows."""
    gap = max(1.0, rows / 7)
    ticks, last = [Tick(0, "0")], rows + gap
    for power in range(math.floor(math.log10(upper)), -1, -1):
        for number in (factor * 10**power for factor in (5, 2, 1)):
            row = math.sqrt(number / upper) * rows
            if number <= upper and gap <= row <= last - gap:
                ticks.append(Tick(math.sqrt(number), short(number)))
                last = row
    return tuple(ticks)
