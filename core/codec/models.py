"""What the models of a file begin with: slots, weights of the mixers, rates. Part of the format."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.codec import kernels
from core.codec.outline import Geometry
from core.codec.stream import Slots, fresh

Weights = NDArray[np.int64]


class Models:
    """The mixers' weights, which learn from one tensor to the next, and the settings."""

    def __init__(self) -> None:
        self.flags = np.zeros((2, kernels.FLAG_INPUTS + 1), np.int64)
        self.flags[:, : kernels.FLAG_INPUTS] = 65536 * 3 // 10
        self.mask = np.zeros(kernels.MASK_INPUTS + 1, np.int64)
        self.mask[: kernels.MASK_INPUTS] = 65536 * 2 // 10
        self.mask_settings = np.array([100, 20] + [4, 1023] * kernels.MASK_INPUTS, np.int64)
        self.sign = np.zeros(kernels.SYMBOL_INPUTS + 1, np.int64)
        self.sign[: kernels.SYMBOL_INPUTS] = 65536 * 25 // 100
        self.bins = np.zeros((kernels.BINS, kernels.SYMBOL_INPUTS + 1), np.int64)
        self.bins[:, : kernels.SYMBOL_INPUTS] = 65536 * 2 // 10
        self.symbol_settings = np.array([20, 20] + [4, 1023] * kernels.SYMBOL_INPUTS, np.int64)

    def mask_slots(self, form: Geometry) -> Slots:
        """Slots for a mask; all but the first are untouched."""
        places = form.height * form.width
        count = 512 + form.channels + places + form.columns
        slots = _untouched(count)
        for at in (1, 1 + 1 + 16 + 4 + 64):
            slots[at] = kernels.ONE // 2, 2
        slots[0] = 0
        return slots

    def symbol_slots(self, form: Geometry) -> Slots:
        """Slots for symbols; those of a sign and of the bins alone are touched."""
        slots = _untouched(1024 + 5 * (form.channels + form.height * form.width))
        slots[1 : 2 + kernels.BINS] = kernels.ONE // 2, 2
        return slots


def _untouched(count: int) -> Slots:
    slots = fresh(count)
    slots[:, 0] = kernels.UNTOUCHED
    return slots
