"""The size of a net in parameters and bytes, before and after pruning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BYTES_PER_VALUE = 4
COUNTED = "4 bytes per nonzero, indices not counted"
"""What `pruned_bytes` counts, as in the reference. A real file also stores positions."""

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeadUnits:
    """The number of dead units in a net, and what is removed with them.

    Attributes:
        units: dead units of each layer, see `core.graph.dead_units`.
        nonzero: nonzero parameters removed: weights to and from dead units, weights that only make
            or read constants, and a dead unit's own parameters, such as its bias.
        parameters: parameters removed in a smaller dense net; a layer whose units are all dead
            keeps one.
    """

    units: Mapping[str, int]
    nonzero: int
    parameters: int

    @property
    def total(self) -> int:
        """The dead units of all layers."""
        return sum(self.units.values())


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of one net.

    Attributes:
        values: nonzeros in float32, positions not counted, as in the reference.
        han2015: the same plus gaps in 5 or 8 bits, with filler zeros where a gap is too long,
            biases dense, as in the paper.
        dense: the safetensors file; None for a large net, like the next two.
        zip: that file, zipped.
        compact: the exact compact file.
    """

    values: int
    han2015: int
    dense: int | None
    zip: int | None
    compact: int | None


@dataclass(frozen=True, slots=True)
class Footprint:
    """The parameters of a layer or of a whole net.

    Attributes:
        parameters: weights and biases, before pruning.
        nonzero: those that pruning keeps; every bias is kept.
    """

    parameters: int
    nonzero: int

    @property
    def dense_bytes(self) -> int:
        """Bytes of all parameters in float32."""
        return BYTES_PER_VALUE * self.parameters

    @property
    def pruned_bytes(self) -> int:
        """Bytes of the kept parameters in float32, positions not counted."""
        return BYTES_PER_VALUE * self.nonzero

    @property
    def ratio(self) -> float:
        """Parameters over nonzeros; infinite when nothing is kept."""
        return self.parameters / self.nonzero if self.nonzero else float("inf")

    def without(self, dead: DeadUnits) -> Footprint:
        """The footprint without dead units: that of a smaller dense net."""
        return Footprint(self.parameters - dead.parameters, self.nonzero - dead.nonzero)


def total(parts: Iterable[Footprint], other_parameters: int = 0) -> Footprint:
    """The footprint of a net: its layers' and `other_parameters`, which are never pruned."""
    parts = list(parts)
    return Footprint(
        parameters=sum(part.parameters for part in parts) + other_parameters,
        nonzero=sum(part.nonzero for part in parts) + other_parameters,
    )


def dead_unit_report(whole: Footprint, dead: DeadUnits | None) -> dict[str, Any]:
    """The dead units as part of a report; nulls if they are unknown."""
    left = None if dead is None else whole.without(dead)
    return {
        "dead": None if dead is None else dict(dead.units),
        "nonzero_without_dead": None if left is None else left.nonzero,
        "parameters_without_dead": None if left is None else left.parameters,
    }
