"""What a net costs in parameters and bytes, before and after pruning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BYTES_PER_VALUE = 4
COUNTED = "4 bytes a nonzero, positions not counted"
"""What `pruned_bytes` counts: the reference's way. A file also has to say where the values are."""

MIB = 1024 * 1024


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


def total(parts: Iterable[Footprint], other_parameters: int = 0) -> Footprint:
    """The footprint of a net: its layers' and `other_parameters`, which are never pruned."""
    parts = list(parts)
    return Footprint(
        parameters=sum(part.parameters for part in parts) + other_parameters,
        nonzero=sum(part.nonzero for part in parts) + other_parameters,
    )
