"""Plans: one sparsity per layer, parsed and checked. Sparsities are fractions here."""

import math
from collections.abc import Mapping, Sequence

from core.errors import InputError
from core.pruning.layer_selection import spread

Plan = dict[str, float]
"""The sparsity of each layer by its name: zeros over elements, in [0, 1]."""

FINEST_STEP = 0.0001
"""The smallest step of a sparsity: the last decimal of a percentage shown or typed."""


def uniform_plan(sparsity: float, layers: Sequence[str]) -> Plan:
    """The same sparsity for every layer; raises InputError unless it is in [0, 1]."""
    return dict.fromkeys(layers, check_sparsity(sparsity, "every layer"))


def whole_plan(sparsities: Mapping[str, float], layers: Sequence[str]) -> Plan:
    """Spread sparsities by layer, group or pattern over a net; other layers get 0.

    Raises InputError for a name that stands for no layer, or a bad sparsity; see `spread`.
    """
    for name, sparsity in sparsities.items():
        check_sparsity(sparsity, name)
    return dict.fromkeys(layers, 0.0) | spread(sparsities, layers)


def parse_pairs(text: str) -> dict[str, float]:
    """Parse `conv1=0.65,layer2=0.95`; the names are those of any net.

    Raises InputError if a part is not NAME=FRACTION, or a name is given twice.
    """
    pairs: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise InputError(f"sparsity '{part}': expected LAYER=FRACTION, such as conv1=0.65")
        if name in pairs:
            raise InputError(f"layer '{name}' is given twice: name each layer once")
        pairs[name] = parse_sparsity(number, name)
    if not pairs:
        raise InputError(f"no sparsity in '{text}': expected LAYER=FRACTION, such as conv1=0.65")
    return pairs


def parse_sparsity(text: str, where: str) -> float:
    """Parse a fraction in [0, 1] for the layer `where`; raises InputError otherwise."""
    try:
        sparsity = float(text)
    except ValueError as error:
        raise InputError(f"sparsity '{text}' of {where}: expected a number from 0 to 1") from error
    return check_sparsity(sparsity, where)


def parse_sparsities(text: str) -> tuple[float, ...]:
    """Parse a list, `0.4,0.5,0.9`, or an inclusive range with a step, `0.40:0.95:0.05`.

    Raises InputError if the text is neither or a sparsity is not in [0, 1].
    """
    where = f"the list '{text}'"
    if ":" not in text:
        listed = tuple(parse_sparsity(part.strip(), where) for part in text.split(","))
        if len(set(listed)) < len(listed):
            raise InputError(f"sparsities '{text}': expected each value once")
        return listed
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(f"sparsities '{text}': expected FROM:TO:STEP, such as 0.40:0.95:0.05")
    first, last, step = (parse_sparsity(part.strip(), where) for part in parts)
    if step < FINEST_STEP or last < first:
        raise InputError(f"sparsities '{text}': expected FROM <= TO, STEP at least {FINEST_STEP}")
    count = math.floor(round((last - first) / step, 6))
    return tuple(round(first + place * step, 6) for place in range(count + 1))


def check_sparsity(sparsity: float, where: str) -> float:
    """Return `sparsity` if it is in [0, 1]; raises InputError otherwise."""
    if not (math.isfinite(sparsity) and 0.0 <= sparsity <= 1.0):
        raise InputError(f"sparsity {sparsity} of {where}: expected a fraction from 0 to 1")
    return sparsity


def prune_count(sparsity: float, elements: int) -> int:
    """How many of `elements` weights a sparsity prunes: k = round(sparsity x elements)."""
    return round(sparsity * elements)


def short_sparsity(sparsity: float, elements: int) -> float:
    """The shortest decimal that prunes as many of `elements` weights as a sparsity.

    It has four decimals, as many as a percentage shown or typed, or more if it needs them.

    Examples:
        >>> short_sparsity(0.9942999999999999, 1_000), short_sparsity(145_123 / 147_456, 147_456)
        (0.9943, 0.98418)
    """
    pruned = prune_count(sparsity, elements)
    shorter = (round(sparsity, digits) for digits in range(4, 16))
    return next((short for short in shorter if prune_count(short, elements) == pruned), sparsity)
