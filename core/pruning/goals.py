"""Goals: how light a net should be, and the methods that allocate sparsity to layers."""

import math
import string
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from core.errors import InputError
from core.nets.footprint import BYTES_PER_VALUE, MIB

SENSITIVITY = "sensitivity"

ALLOCATIONS: dict[str, str] = {
    "lamp": "LAMP: keep each layer's most important weights",
    "magnitude": "one threshold for all layers",
    "erk": "small layers denser (Erdős-Rényi-Kernel)",
    SENSITIVITY: "the same accuracy drop for every layer, from the scan",
    "uniform": "the same sparsity for every layer",
    "han": "thresholds proportional to the standard deviation",
}
"""The allocation methods, most useful first; `core.pruning.scores` cites their sources."""

DEFAULT_ALLOCATION = "lamp"

MAX_PARAMETERS = 1e18
"""More parameters than any net has; larger budgets are cut to this."""

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
    """How light a net should be.

    Attributes:
        kind: `ratio`, parameters over nonzero parameters, at least 1; `kept`, nonzero parameters, a
            whole number; or `mib`, the MiB they take at 4 bytes each. Biases and all other
            parameters count.
        value: the least ratio, or the most parameters or MiB.

    Raises InputError if the value is out of range.
    """

    kind: Kind
    value: float

    def __post_init__(self) -> None:
        if fault := _fault(self.kind, self.value):
            raise InputError(f"goal '{self}': {fault}")

    def __str__(self) -> str:
        """In the form that `parse_goal` reads."""
        return repr(self.value).removesuffix(".0") + _SUFFIX[self.kind]

    def budget(self, parameters: int) -> int:
        """The most nonzero parameters, of `parameters`, that meet the goal."""
        if self.kind == "ratio":
            counts = range(1, parameters + 1)
            return bisect_right(counts, -self.value, key=lambda count: -parameters / count)
        if self.kind == "kept":
            return int(self.value)
        return int(min(self.value * MIB / BYTES_PER_VALUE, MAX_PARAMETERS))


def _fault(kind: Kind, value: float) -> str:
    """What is wrong with the value of a goal; empty if nothing is."""
    least = 1 if kind == "ratio" else 0
    if not (math.isfinite(value) and value >= least):
        return f"expected a number of at least {least}"
    return "expected a whole number of parameters" if kind == "kept" and value % 1 else ""


def parse_goal(text: str, alternatives: str = "") -> Goal:
    """Read `60x` or `60` (a ratio), `6000 kept` (nonzero parameters), `28 KiB` or `0.5 MiB`.

    Percentages are not accepted: 95 % could mean what is pruned or what stays. Raises InputError,
    with `alternatives` accepted in the same place appended, if the text is none of these.
    """
    text = text.strip()
    unit = text[len(text.rstrip(string.ascii_letters)) :]
    try:
        kind, scale = _UNITS[unit.lower()]
        number = float(text.removesuffix(unit))
    except (KeyError, ValueError) as error:
        expected = f"expected 60x, 6000 kept, 28 KiB or 0.5 MiB{alternatives}"
        raise InputError(f"goal '{text}': {expected}") from error
    if fault := _fault(kind, number * scale):
        raise InputError(f"goal '{text}': {fault}")
    return Goal(kind, number * scale)
