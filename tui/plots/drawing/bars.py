"""A canvas for horizontal bars, each with its name on the left and its numbers on the right."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.ticks import Axis, Tick, unit_ticks
from tui.text.units import BYTES, Units, unit


class Scale(NamedTuple):
    """How long a bar of an amount is.

    Attributes:
        most: the amount of a full bar.
        least: where a logarithmic scale begins; 0: the scale is linear.
    """

    most: float
    least: float = 0.0

    @classmethod
    def of(cls, amounts: Sequence[float], log: bool = False) -> Self:
        """The scale for amounts before pruning, so that no plan moves it.

        A linear one shows the share that is kept. A logarithmic one, which shows small layers
        beside large ones, begins two decades below the least amount, for what is left of it.
        """
        known = [amount for amount in amounts if amount > 0]
        most, least = max(known, default=1.0), min(known, default=1.0)
        if not log:
            return cls(most)
        return cls(most, 10.0 ** max(0, math.floor(math.log10(max(1.0, least))) - 2))

    def up_to(self, most: float) -> Self:
        """The same scale with another longest bar."""
        return self._replace(most=max(most, 10 * self.least))

    @property
    def log(self) -> bool:
        """Whether it is logarithmic."""
        return self.least > 0

    def length(self, amount: float) -> float:
        """The length of a bar, from 0 to 1."""
        if not self.log:
            return amount / self.most
        if amount <= self.least:
            return 0.0
        return math.log(amount / self.least) / math.log(self.most / self.least)

    def axis(self, parts: int, units: Units) -> Axis:
        """The axis of the bars."""
        if not self.log:
            return Axis(0, self.most, unit_ticks(self.most, parts, units))
        base = 16.0 if units is BYTES else 10.0
        lower, upper = math.log(self.least, base), math.log(self.most, base)
        each = max(1, math.ceil((upper - lower) / max(1, parts)))
        powers = range(math.ceil(lower - 1e-9), math.floor(upper + 1e-9) + 1, each)
        ticks = (Tick(power, _in_unit(base**power, units)) for power in powers)
        return Axis(lower, upper, tuple(ticks))


def _in_unit(amount: float, units: Units) -> str:
    size, name = unit(amount, units)
    return f"{amount / size:.3g}{name}"


def bar_canvas(
    width: int,
    lines: int,
    x: Axis,
    names: Sequence[str],
    numbers: Sequence[str],
    roles: Sequence[str],
    bottom_axis: bool,
) -> Canvas:
    """Return a canvas with `lines` rows for each bar, the first bar at the top.

    If several, the last of them is a gap, except below the lowest bar. `roles` are those of the
    names and numbers; `bottom_axis` is as in `Canvas`.
    """
    rows = lines * len(names) - (lines > 1)
    places = [rows - lines * index - 0.5 for index in range(len(names))]
    longest = max(map(len, names))
    padded = [name.ljust(longest) for name in names]
    left, right = (tuple(map(Tick, places, texts, roles)) for texts in (padded, numbers))
    return Canvas(width, rows + 2 * bottom_axis, x, Axis(0, rows, left), right, bottom_axis)
