"""How light a net shall be, and by which method the layers share in it."""

from __future__ import annotations

import math
import string
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from core.errors import InputError
from core.nets.footprint import BYTES_PER_VALUE, MIB

SENSITIVITY = "sensitivity"

METHODS: dict[str, str] = {
    "uniform": "the same sparsity for every layer",
    "erk": "small layers denser than large ones, by their shapes alone (Erdős-Rényi-Kernel)",
    "magnitude": "one threshold for all layers: the largest weights stay",
    "lamp": "the weights that are the largest part of what is left of their layer stay (LAMP)",
    SENSITIVITY: "each layer as far as its scan allows for one drop in accuracy",
    "han": "thresholds in proportion to the standard deviation of each layer's weights (Han)",
}
"""The methods, each with what it does in one line; `core.pruning.scores` has their sources."""

MAX_PARAMETERS = 1e18
"""Parameters: more than any net has, and few enough to be a number of them."""

Kind = Literal["ratio", "kept", "mib"]

_UNITS: dict[str, tuple[Kind, float]] = {
    "": ("ratio", 1),
    "x": ("ratio", 1),
    "kept": ("kept", 1),
    "kib": ("mib", 1 / 1024),
    "mib": ("mib", 1),
}
_SUFFIX: dict[Kind, str] = {"ratio": "x", "kept": " kept", "mib": " MiB"}


@dataclass(frozen=True, slots=True)
class Goal:
    """How light a net shall be.

    Attributes:
        kind: `ratio`, parameters over nonzeros, at least 1; `kept`, nonzero parameters, a whole
            number; or `mib`, MiB that the nonzero parameters take at 4 bytes each. Biases and all
            other parameters count everywhere.
        value: at least this ratio; at most so many parameters or MiB.

    Raises:
        InputError: the value is none of its kind.
    """

    kind: Kind
    value: float

    def __post_init__(self) -> None:
        least = 1 if self.kind == "ratio" else 0
        if not (math.isfinite(self.value) and self.value >= least):
            raise InputError(f"goal '{self}': expected a number, {least} or more")
        if self.kind == "kept" and self.value != int(self.value):
            raise InputError(f"goal '{self}': expected a whole number of parameters")

    def __str__(self) -> str:
        """As `parse_goal` reads it."""
        return repr(self.value).removesuffix(".0") + _SUFFIX[self.kind]

    def budget(self, parameters: int) -> int:
        """The most nonzero parameters of a net of `parameters` that still meet the goal."""
        if self.kind == "ratio":
            counts = range(1, parameters + 1)
            return bisect_right(counts, -self.value, key=lambda count: -parameters / count)
        if self.kind == "kept":
            return int(self.value)
        return int(min(self.value * MIB / BYTES_PER_VALUE, MAX_PARAMETERS))


def parse_goal(text: str, alternatives: str = "") -> Goal:
    """Read `60x` or `60` (a ratio), `6000 kept` (nonzero parameters), `28 KiB` or `0.5 MiB`.

    There is no percentage: 95 % might be what goes or what stays.

    Args:
        text: what a person typed.
        also: what else they might have typed here, for the error.

    Raises:
        InputError: it is none of these, or the number is out of its range.
    """
    text = text.strip()
    unit = text[len(text.rstrip(string.ascii_letters)) :]
    try:
        kind, scale = _UNITS[unit.lower()]
        number = float(text.removesuffix(unit))
    except (KeyError, ValueError) as error:
        expected = f"expected 60x, 6000 kept, 28 KiB or 0.5 MiB{alternatives}"
        raise InputError(f"goal '{text}': {expected}") from error
    return Goal(kind, number * scale)
