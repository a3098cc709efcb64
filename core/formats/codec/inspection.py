"""Where the bytes of a compact file go."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.formats.codec.compact import CompactFile, Tied, codes_of
from core.formats.codec.container import DIGEST, read

PARTS = ("header", "positions", "values", "codebooks", "biases", "checksum")
"""The parts of a file, in order; tensors with fewer than two dimensions count as biases."""


@dataclass(frozen=True, slots=True)
class LayerBytes:
    """The nonzeros and size of a tensor with two or more dimensions; `bits` are per nonzero."""

    name: str
    shape: tuple[int, ...]
    nonzero: int
    bytes: int
    bits: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """A decoded file, and where its bytes go.

    `parts` holds the bytes of each of `PARTS`, `bytes` in total; `layers` the tensors with two or
    more dimensions, in order; `nonzero` counts the nonzero values in all tensors.
    """

    file: CompactFile
    bytes: int
    parts: Mapping[str, int]
    layers: tuple[LayerBytes, ...]
    nonzero: int


def inspect(data: bytes, max_elements: int | None = None) -> Inspection:
    """Read a file and measure where its bytes go; raises InputError, see `decode`.

    The parts are coded as one stream and share bytes, so each is rounded to a byte.
    """
    file, parts = read(data, max_elements)
    spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    by_entry, used = defaultdict[int, float](float), 0.0
    for part, entry, bits in parts:
        spent[part] += bits - used
        by_entry[entry] += bits - used
        used = bits
    spent["checksum"] = 8.0 * DIGEST
    # The magic bytes, and the bits lost where the stream ends on a whole byte.
    spent["header"] += 8.0 * len(data) - sum(spent.values())
    counts = [
        0 if isinstance(entry.values, Tied) else int(np.count_nonzero(codes_of(entry.values)))
        for entry in file.entries
    ]
    layers = tuple(
        LayerBytes(e.name, e.shape, n, round(by_entry[i] / 8), by_entry[i] / n if n else 0.0)
        for i, (e, n) in enumerate(zip(file.entries, counts, strict=True))
        if len(e.shape) > 1 and i in by_entry
    )
    return Inspection(file, len(data), _whole(spent, len(data)), layers, sum(counts))


def _whole(spent: Mapping[str, float], size: int) -> Mapping[str, int]:
    """Bits as bytes that add up to `size`: those with the largest remainders are rounded up."""
    whole = {part: int(bits // 8) for part, bits in spent.items()}
    left = sorted(spent, key=lambda part: spent[part] % 8, reverse=True)
    for part in left[: size - sum(whole.values())]:
        whole[part] += 1
    return whole
