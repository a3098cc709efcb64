"""The layers the kernels support: layers with weights and max pooling, each with its ReLU.

One dimension is handled as two, the first of length 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]
Steps = NDArray[np.int64]

ZEROS: Pair = (0, 0)
ONES: Pair = (1, 1)


@dataclass(frozen=True, eq=False)
class WeightLayer:
    """A convolution, or a linear layer as a convolution whose kernel covers its input.

    Attributes:
        weight: float32 [units, inputs of a group, kernel rows, kernel columns].
        bias: float32 [units].
        out: rows and columns of its output.
        stride, padding, dilation: for rows and columns; zero padding above and to the left.
        groups: groups of the convolution.
        relu: whether a ReLU follows.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    out: Pair = ONES
    stride: Pair = ONES
    padding: Pair = ZEROS
    dilation: Pair = ONES
    groups: int = 1
    relu: bool = False

    @property
    def channels(self) -> int:
        """Output channels."""
        return len(self.weight)

    @property
    def taps(self) -> tuple[Steps, Steps]:
        """Offsets of the kernel's rows and columns from its first."""
        rows, columns = self.weight.shape[2:]
        return _taps((rows, columns), self.dilation)


@dataclass(frozen=True, slots=True)
class MaxPool:
    """Max pooling; padding is never the largest value.

    Attributes:
        out: rows and columns of its output.
        kernel, stride, padding, dilation: for rows and columns.
        relu: whether a ReLU follows.
    """

    out: Pair
    kernel: Pair
    stride: Pair
    padding: Pair = ZEROS
    dilation: Pair = ONES
    relu: bool = False

    @property
    def taps(self) -> tuple[Steps, Steps]:
        """Offsets of the window's rows and columns from its first."""
        return _taps(self.kernel, self.dilation)


def _taps(kernel: Pair, dilation: Pair) -> tuple[Steps, Steps]:
    return np.arange(kernel[0]) * dilation[0], np.arange(kernel[1]) * dilation[1]


KernelLayer = WeightLayer | MaxPool
