"""The initial state of the models: slots, rates and mixer weights. Part of the format.

A search chose the numbers that minimize the files of pruned LeNets and of cnn5.
"""

import numpy as np
from numpy.typing import NDArray

from core.formats.codec.coder import kernels
from core.formats.codec.coder.stream import Slots, fresh
from core.formats.codec.tensor_info import Geometry

Weights = NDArray[np.int64]

LINEAR, CONVOLUTION, FIRST, FLAT, VECTOR, LARGE = range(6)
"""Kinds of masks: one place, several channels, one channel, a linear layer with places, one column,
and tensors so large that coding must be fast."""

MAX_ELEMENTS = 1 << 22
"""Most elements of a tensor that is not `LARGE`."""

# fmt: off
FLAG_WEIGHTS = (
    (65278, 16000, -2288, 8000, 68494),
    (65536, -2400, 0, -2400, 39920),
    (71187, 32314, 1077, 59283, 116892),
    (65536, 40000, -8000, 32000, 16000),
    (65536, 16000, 16000, 16000, 0),
    (65536, 16000, 0, 16000, 0),
)
MASK_WEIGHTS = (
    (43240, 1991, -34465, -11331, 15500, 500, 35063, 12562, 8443, -541, 0, 4892, -31374),
    (57856, 30032, -28480, 42944, 5600, 6400, 9120, 52800, 8000, 8160, 3200, 37888, -25504),
    (58744, 48018, -15718, 0, 0, 5047, -2398, 7771, 10013, 21609, -23944, -8778, -4256),
    (65536, 24000, -10400, 8000, 29600, 24000, 8000, 40000, 8000, 24000, 32000, 46000, 0),
    (65536, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (65536, 24000, 0, 32000, 8000, 0, 0, 0, 0, 0, 0, 0, 0),
)
MASK_SETTINGS = (
    (256, 600, 24, 4194304, 22, 20000, 378, 20000, 16, 20000, 2, 20000, 1, 20000, 360, 11364, 205,
     11364, 94, 20000, 17, 11364, 3, 20000, 3, 20000),
    (256, 79, 24, 4194304, 93, 20000, 342, 20000, 16, 20000, 21, 20000, 6, 20000, 18, 20000, 9,
     40478, 22, 27950, 5, 20000, 34, 25299, 9, 56246),
    (16, 600, 24, 4194304, 94, 20000, 6, 20000, 17, 20000, 15, 20000, 507, 20000, 1818, 20000, 47,
     20000, 2000, 20000, 11, 20000, 152, 20000, 2000, 20000),
    (256, 45, 24, 4194304, 38, 20000, 107, 20000, 9, 56246, 14, 4882, 6, 20000, 5, 2777, 4, 56246,
     14, 8996, 6, 4444, 8, 56246, 21, 56246),
    (100, 0, 16, 1023, 16, 1023, 16, 1023, 16, 1023, 16, 1023, 16, 1023, 16, 1023, 16, 1023, 16,
     1023, 16, 1023, 16, 1023, 16, 1023),
    (100, 20, 16, 4194304, 32, 20000, 32, 20000, 32, 20000, 32, 20000, 32, 20000, 32, 20000, 32,
     20000, 32, 20000, 32, 20000, 32, 20000, 32, 20000),
)
SIGN_WEIGHTS = (
    (20722, -3987, 10902, -20928, -15736, 10625, 1928, -29515),
    (66208, -29077, 15408, 10154, 76193, 10000, 7380, -1123),
)
BIN_WEIGHTS = (
    (25440, 3830, 31454, -3683, -745, -15317, 45705, 31665),
    (54899, 16480, 1655, 2260, 769, -4303, 50832, -2764),
)
SYMBOL_SETTINGS = (
    (5, 600, 48, 1023, 16, 1000, 39, 1000, 2000, 1000, 108, 826, 1521, 811, 24, 1000),
    (600, 600, 48, 1023, 45, 1000, 8, 2002, 33, 80, 8, 264, 25, 1000, 29, 1190),
)
# fmt: on

CARRIED_COUNT = 6
"""Limit for the counts of sign and bin slots carried over to the next tensor."""


def mask_kind(shape: tuple[int, ...], geometry: Geometry) -> int:
    """The kind of a tensor's mask."""
    if geometry.columns == 1:
        return VECTOR
    if geometry.rows * geometry.columns > MAX_ELEMENTS:
        return LARGE
    if geometry.height * geometry.width == 1:
        return LINEAR
    if len(shape) == 2:
        return FLAT
    return FIRST if geometry.channels == 1 else CONVOLUTION


class Models:
    """Mixer weights, which keep learning from tensor to tensor, and settings.

    Attributes:
        flags: weights for row flags [mask kind, input].
        mask: weights for mask bits [mask kind, state, input].
        sign: weights for signs [bias or weight, input].
        bins: weights for magnitude bins [bias or weight, bin, input].
    """

    def __init__(self) -> None:
        self.flags = np.array(FLAG_WEIGHTS, np.int64)
        self.mask = np.array(MASK_WEIGHTS, np.int64)[:, None].repeat(3, axis=1)
        self.mask_settings = np.array(MASK_SETTINGS, np.int64)
        self.sign = np.array(SIGN_WEIGHTS, np.int64)
        self.bins = np.array(BIN_WEIGHTS, np.int64)[:, None].repeat(kernels.BINS, axis=1)
        self.symbol_settings = np.array(SYMBOL_SETTINGS, np.int64)
        self._carried = [fresh(1 + kernels.BINS), fresh(1 + kernels.BINS)]

    def mask_slots(self, geometry: Geometry) -> Slots:
        """Slots for a mask: two fresh ones, the rest untouched."""
        places = geometry.height * geometry.width
        count = geometry.channels + geometry.channels // 8 + 1 + places + geometry.columns
        slots = _untouched(kernels.CHANNEL + count)
        slots[:2] = kernels.ONE // 2, 2
        return slots

    def symbol_slots(self, geometry: Geometry, weight: int) -> Slots:
        """Slots for symbols: the sign and bin slots of the previous tensor, the rest untouched."""
        count = 17 + geometry.channels + geometry.height * geometry.width
        slots = _untouched(kernels.ROW_SYMBOLS + kernels.SYMBOL_SLOTS * count)
        slots[: 1 + kernels.BINS] = self._carried[weight]
        return slots

    def carry_over(self, slots: Slots, weight: int) -> None:
        """Carry the sign and bin slots over to the next weight or bias, with low counts."""
        self._carried[weight] = carried = slots[: 1 + kernels.BINS].copy()
        np.minimum(carried[:, 1], CARRIED_COUNT, out=carried[:, 1])


def _untouched(count: int) -> Slots:
    slots = fresh(count)
    slots[:, 0] = kernels.UNTOUCHED
    return slots
