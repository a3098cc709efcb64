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


@dataclass(frozen=True, slots=True)
class MaxPool:
    """Max pooling; padding is never the largest value; `WeightLayer` documents the rest."""

    out: Pair
    kernel: Pair
    stride: Pair
    padding: Pair = ZEROS
    dilation: Pair = ONES
    relu: bool = False


KernelLayer = WeightLayer | MaxPool


def taps(layer: KernelLayer) -> tuple[Steps, Steps]:
    """Offsets of the rows and columns of a layer's kernel or window from its first."""
    rows, columns = layer.kernel if isinstance(layer, MaxPool) else layer.weight.shape[2:]
    return np.arange(rows) * layer.dilation[0], np.arange(columns) * layer.dilation[1]
