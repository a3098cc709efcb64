"""The size of a net in parameters and bytes, before and after pruning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BYTES_PER_VALUE = 4
SIZE_NOTE = "4 bytes per nonzero, indices not counted"
"""What `pruned_bytes` counts, like the reference; a real file also stores indices."""

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeadUnits:
    """The dead units of a net (see `core.graph.dead_units`), and what is removed with them.

    Attributes:
        units: their number, by layer.
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
    """Bytes of one net; the files are None for a large net.

    Attributes:
        values: nonzeros in float32, indices not counted, as in the reference.
        han2015: the same plus gaps in 5 or 8 bits, with filler zeros if a gap is too long, biases
            dense, as in Han et al. (2015).
        dense: the safetensors file.
        zip: that file, zipped.
        compact: the lossless compact file.
    """

    values: int
    han2015: int
    dense: int | None
    zip: int | None
    compact: int | None


@dataclass(frozen=True, slots=True)
class Footprint:
    """The parameters of a layer or a net, and those pruning keeps; every bias is kept."""

    parameters: int
    nonzero: int

    @property
    def dense_bytes(self) -> int:
        """Bytes of all parameters in float32."""
        return BYTES_PER_VALUE * self.parameters

    @property
    def pruned_bytes(self) -> int:
        """Bytes of the nonzero parameters in float32, indices not counted."""
        return BYTES_PER_VALUE * self.nonzero

    @property
    def ratio(self) -> float:
        """Parameters over nonzeros; infinite if there are none."""
        return self.parameters / self.nonzero if self.nonzero else float("inf")

    def without(self, dead: DeadUnits) -> Footprint:
        """The footprint without dead units: that of a smaller dense net."""
        return Footprint(self.parameters - dead.parameters, self.nonzero - dead.nonzero)


def total(parts: Iterable[Footprint], other_parameters: int = 0) -> Footprint:
    """The footprint of a net: its layers' and `other_parameters`, which are never pruned."""
    parts = [*parts, Footprint(other_parameters, other_parameters)]
    return Footprint(sum(part.parameters for part in parts), sum(part.nonzero for part in parts))
