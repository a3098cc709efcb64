"""What a net costs in parameters and bytes, before and after pruning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BYTES_PER_VALUE = 4
COUNTED = "4 bytes a nonzero, positions not counted"
"""What `pruned_bytes` counts: the reference's way. A file also has to say where the values are."""

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeadUnits:
    """How many units of a net are dead, and what goes with them, see `core.graph.dead_units`.

    Attributes:
        units: that are dead, of each layer.
        nonzero: parameters that are not zero and go: weights to and from dead units, weights that
            only make or read constants, and what is a dead unit's own, such as its bias.
        parameters: that a smaller dense net without the dead units does not have; a layer whose
            units are all dead keeps one.
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
        values: of what is not zero in float32, positions not counted: the reference's way.
        han2015: of the same with the distances between them in 5 or 8 bits, zeros filled in where
            one is too long, biases as they are: the paper's way.
        dense: of the safetensors file; None of a large net, as the next two.
        zip: of that file in a zip.
        compact: of the compact file that keeps every bit.
    """

    values: int
    han2015: int
    dense: int | None
    zip: int | None
    compact: int | None


@dataclass(frozen=True, slots=True)
class Footprint:
    """The cost of a layer or of a whole net.

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
        """What is left without dead units: of a smaller dense net, those that are not zero."""
        return Footprint(self.parameters - dead.parameters, self.nonzero - dead.nonzero)


def total(parts: Iterable[Footprint], other_parameters: int = 0) -> Footprint:
    """The footprint of a net: its layers' and `other_parameters`, which are never pruned."""
    parts = list(parts)
    return Footprint(
        parameters=sum(part.parameters for part in parts) + other_parameters,
        nonzero=sum(part.nonzero for part in parts) + other_parameters,
    )


def dead_facts(whole: Footprint, dead: DeadUnits | None) -> dict[str, Any]:
    """What a report says of dead units; nulls where nothing is known of them."""
    left = None if dead is None else whole.without(dead)
    return {
        "dead": None if dead is None else dict(dead.units),
        "nonzero_without_dead": None if left is None else left.nonzero,
        "parameters_without_dead": None if left is None else left.parameters,
    }
