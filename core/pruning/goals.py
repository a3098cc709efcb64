"""Goals: how light a net should be, and the methods that allocate sparsity to layers."""

import math
import re
import string
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from core.errors import InputError
from core.nets.footprint import BYTES_PER_VALUE, MIB
from core.pruning.budgets.costs import Unit

SENSITIVITY, DYNAMIC = "sensitivity", "dp"
NEEDING_SCAN = frozenset((SENSITIVITY, DYNAMIC))
"""The methods that allocate by a scan of the base."""

ALLOCATIONS: dict[str, str] = {
    "lamp": "LAMP: keep each layer's most important weights",
    "magnitude": "one threshold for all layers",
    "erk": "small layers denser (Erdős-Rényi-Kernel)",
    SENSITIVITY: "the same accuracy drop for every layer, from the scan",
    DYNAMIC: "the least total drop in the scan for that cost",
    "uniform": "the same sparsity for every layer",
    "han": "thresholds proportional to the standard deviation",
}
"""The allocation methods, most useful first; `core.pruning.scores` cites their sources."""

DEFAULT_ALLOCATION = "lamp"

_MAX_BUDGET = 1e18
"""Larger budgets are cut to this: no net has as many parameters or multiplications."""

Kind = Literal["ratio", "kept", "mib", "macs", "macs_percent", "ms"]

_UNITS: dict[str, tuple[Kind, float]] = {
    "": ("ratio", 1),
    "x": ("ratio", 1),
    "kept": ("kept", 1),
    "kib": ("mib", 1 / 1024),
    "mib": ("mib", 1),
    "macs": ("macs", 1),
    "% macs": ("macs_percent", 1),
    "k macs": ("macs", 1e3),
    "m macs": ("macs", 1e6),
    "g macs": ("macs", 1e9),
    "ms": ("ms", 1),
}
_SUFFIX: dict[Kind, str] = {
    "ratio": "x",
    "kept": " kept",
    "mib": " MiB",
    "macs": " macs",
    "macs_percent": " % macs",
    "ms": " ms",
}
_TEXT = re.compile(r"(?P<number>.*?)\s*(?P<scale>[%kmg]?)\s*(?P<unit>macs)", re.IGNORECASE)

EXAMPLES = "60x, 6000 kept, 28 KiB, 0.5 MiB, 25 % macs, 1.2M macs or 0.2 ms"
"""A goal of every kind."""

NANOSECONDS = 1_000_000
"""In a millisecond."""


@dataclass(frozen=True, slots=True)
class Goal:
    """How light a net should be.

    Attributes:
        kind: `ratio`, parameters over nonzero parameters, at least 1; `kept`, nonzero parameters, a
            whole number; `mib`, the MiB they take at 4 bytes each; `macs`, multiplications per
            image by weights that are not zero, and by what no plan prunes; `macs_percent`, the same
            in percent of the dense net's; or `ms`, milliseconds per image on this machine. Biases
            and all other parameters count.
        value: the least ratio, or the most of anything else.

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

    @property
    def unit(self) -> Unit:
        """What its budget counts."""
        if self.kind == "ms":
            return "ns"
        return "macs" if self.kind in ("macs", "macs_percent") else "parameters"

    def budget(self, dense: int) -> int:
        """The most that meets the goal in its `unit`, where the dense net has or takes `dense`.

        Examples:
            >>> Goal("ratio", 60).budget(228_010), Goal("macs_percent", 25).budget(3_000_000)
            (3800, 750000)
        """
        if self.kind == "ratio":
            counts = range(1, dense + 1)
            return bisect_right(counts, -self.value, key=lambda count: -dense / count)
        most = {
            "kept": self.value,
            "mib": self.value * MIB / BYTES_PER_VALUE,
            "macs": self.value,
            "macs_percent": round(self.value * dense / 100, 3),
            "ms": round(self.value * NANOSECONDS, 3),
        }[self.kind]
        return int(min(most, _MAX_BUDGET))


def _fault(kind: Kind, value: float) -> str:
    """What is wrong with the value of a goal; empty if nothing is."""
    least = 1 if kind == "ratio" else 0
    if kind == "macs_percent" and not 0 <= value <= 100:
        return "expected 0 to 100 % of the multiplications"
    if not (math.isfinite(value) and value >= least):
        return f"expected a number of at least {least}"
    return "expected a whole number of parameters" if kind == "kept" and value % 1 else ""


def parse_goal(text: str, alternatives: str = "") -> Goal:
    """Read a goal.

    `60x` or `60` is a ratio, `6000 kept` counts nonzero parameters, `28 KiB` and `0.5 MiB` are
    sizes; `25 % macs` and `1.2M macs` (k, M or G) are multiplications that remain, `0.2 ms` a time.

    Percentages of anything else are not accepted: 95 % could mean what is pruned or what stays.
    Raises InputError, with `alternatives` accepted in the same place appended, if the text is none
    of these.
    """
    text = text.strip()
    if match := _TEXT.fullmatch(text):
        unit, digits = f"{match['scale']} macs".strip(), match["number"]
    else:
        unit = text[len(text.rstrip(string.ascii_letters)) :]
        digits = text.removesuffix(unit)
    try:
        kind, scale = _UNITS[unit.lower()]
        number = float(digits) * scale
    except (KeyError, ValueError) as error:
        expected = f"expected {EXAMPLES}{alternatives}"
        raise InputError(f"goal '{text}': {expected}") from error
    if fault := _fault(kind, number):
        raise InputError(f"goal '{text}': {fault}")
    return Goal(kind, number)
