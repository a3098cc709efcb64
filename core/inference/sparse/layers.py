"""What the kernels know: layers with weights, and max pooling, each with the ReLU behind it.

One dimension is two, the first of which has length 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]
Steps = NDArray[np.int64]

NOTHING: Pair = (0, 0)
ONCE: Pair = (1, 1)


@dataclass(frozen=True, eq=False)
class Weighted:
    """A convolution; or a linear, which is one whose kernel is as large as what it reads.

    Attributes:
        weight: float32 [units, inputs of a group, kernel rows, kernel columns].
        bias: float32 [units].
        out: rows and columns of its output.
        stride, padding, dilation: of rows and of columns; padding is above and on the left, zeros.
        groups: parts that its inputs and its units are cut into, each for itself.
        relu: negative results become 0.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    out: Pair = ONCE
    stride: Pair = ONCE
    padding: Pair = NOTHING
    dilation: Pair = ONCE
    groups: int = 1
    relu: bool = False

    @property
    def kernel(self) -> Pair:
        """Rows and columns of the weights between a unit and an input."""
        rows, columns = self.weight.shape[2:]
        return rows, columns

    @property
    def channels(self) -> int:
        """Of its output."""
        return len(self.weight)

    @property
    def taps(self) -> tuple[Steps, Steps]:
        """How far down and to the right the rows and columns of the kernel are, from its first."""
        return _taps(self.kernel, self.dilation)

    @property
    def nonzero(self) -> int:
        """Weights that are not zero."""
        return int(np.count_nonzero(self.weight))

    @property
    def macs(self) -> int:
        """Multiplications with a nonzero for one image."""
        return self.nonzero * prod(self.out)


@dataclass(frozen=True, slots=True)
class Pool:
    """Max pooling; what lies around is never the largest.

    Attributes:
        out: rows and columns of its output.
        kernel, stride, padding, dilation: of rows and of columns.
        relu: negative results become 0.
    """

    out: Pair
    kernel: Pair
    stride: Pair
    padding: Pair = NOTHING
    dilation: Pair = ONCE
    relu: bool = False

    @property
    def taps(self) -> tuple[Steps, Steps]:
        """How far down and to the right the rows and columns of the window are, from its first."""
        return _taps(self.kernel, self.dilation)


def _taps(kernel: Pair, dilation: Pair) -> tuple[Steps, Steps]:
    return np.arange(kernel[0]) * dilation[0], np.arange(kernel[1]) * dilation[1]


Known = Weighted | Pool
