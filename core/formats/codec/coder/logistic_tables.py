"""The logistic function and its inverse, as integer tables computed from integers only."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

REACH = 2815
"""The logistic domain: natural logarithms of odds in 1/256ths, from -11 to 11."""

_BITS = 96
_STEP = 79538252774825785662640898770
"""e ** (1/256) in units of 2 ** -96."""


@cache
def tables() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`stretch` [65536] from 16 bits of probability, and `squash` [5631] back from -2815."""
    one = 1 << _BITS
    power, rising = one, []
    for _ in range(REACH + 1):
        rising.append(power)
        power = (power * _STEP) >> _BITS
    upper = [min((power << 16) // (power + one), 65535) for power in rising]
    squash = [65536 - p for p in reversed(upper[1:])] + upper
    stretch = np.zeros(65536, np.int64)
    at = -REACH
    for p in range(1, 65536):
        while at < REACH and squash[at + 1 + REACH] <= p:
            at += 1
        stretch[p] = at
    stretch[0] = -REACH
    return stretch, np.array(squash, np.int64)
