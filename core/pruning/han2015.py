"""The tables of Han et al. (2015), as printed, for comparison with a net's own table.

"Learning both Weights and Connections for Efficient Neural Networks", tables 1 and 3 to 6.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaperLayer:
    """A row of a table in the paper; numbers are rounded as printed.

    Attributes:
        weights: number of weights before pruning.
        flops: FLOPs of one image before pruning.
        act: nonzero activations after the layer's ReLU, in percent.
        kept: weights kept, in percent.
        flops_kept: FLOPs kept, in percent: `kept` x the `act` of the preceding layer.
    """

    name: str
    weights: float
    flops: float
    act: int
    kept: float
    flops_kept: int


@dataclass(frozen=True, slots=True)
class PaperNet:
    """What the paper reports about a net.

    Attributes:
        rate: compression ratio, parameters over parameters kept (table 1).
        error: top-1 error in percent before pruning, and after pruning and retraining (table 1).
    """

    title: str
    layers: tuple[PaperLayer, ...]
    total: PaperLayer
    rate: int
    error: tuple[float, float]

    @property
    def plan(self) -> tuple[float, ...]:
        """The sparsity of each layer, in order."""
        return tuple(round(1.0 - layer.kept / 100, 4) for layer in self.layers)


def _net(title: str, rate: int, error: tuple[float, float], *rows: tuple[object, ...]) -> PaperNet:
    layers = [PaperLayer(*row) for row in rows]  # type: ignore[arg-type]
    return PaperNet(title, tuple(layers[:-1]), layers[-1], rate, error)


K, M, B = 1e3, 1e6, 1e9

HAN2015 = {
    "lenet-300-100": _net(
        "LeNet-300-100", 12, (1.64, 1.59),
        ("fc1", 235 * K, 470 * K, 38, 8, 8),
        ("fc2", 30 * K, 60 * K, 65, 9, 4),
        ("fc3", 1 * K, 2 * K, 100, 26, 17),
        ("total", 266 * K, 532 * K, 46, 8, 8),
    ),
    "lenet-5": _net(
        "LeNet-5", 12, (0.80, 0.77),
        ("conv1", 0.5 * K, 576 * K, 82, 66, 66),
        ("conv2", 25 * K, 3200 * K, 72, 12, 10),
        ("fc1", 400 * K, 800 * K, 55, 8, 6),
        ("fc2", 5 * K, 10 * K, 100, 19, 10),
        ("total", 431 * K, 4586 * K, 77, 8, 16),
    ),
    "alexnet": _net(
        "AlexNet", 9, (42.78, 42.77),
        ("conv1", 35 * K, 211 * M, 88, 84, 84),
        ("conv2", 307 * K, 448 * M, 52, 38, 33),
        ("conv3", 885 * K, 299 * M, 37, 35, 18),
        ("conv4", 663 * K, 224 * M, 40, 37, 14),
        ("conv5", 442 * K, 150 * M, 34, 37, 14),
        ("fc1", 38 * M, 75 * M, 36, 9, 3),
        ("fc2", 17 * M, 34 * M, 40, 9, 3),
        ("fc3", 4 * M, 8 * M, 100, 25, 10),
        ("total", 61 * M, 1.5 * B, 54, 11, 30),
    ),
    "vgg16": _net(
        "VGG-16", 13, (31.50, 31.34),
        ("conv1_1", 2 * K, 0.2 * B, 53, 58, 58),
        ("conv1_2", 37 * K, 3.7 * B, 89, 22, 12),
        ("conv2_1", 74 * K, 1.8 * B, 80, 34, 30),
        ("conv2_2", 148 * K, 3.7 * B, 81, 36, 29),
        ("conv3_1", 295 * K, 1.8 * B, 68, 53, 43),
        ("conv3_2", 590 * K, 3.7 * B, 70, 24, 16),
        ("conv3_3", 590 * K, 3.7 * B, 64, 42, 29),
        ("conv4_1", 1 * M, 1.8 * B, 51, 32, 21),
        ("conv4_2", 2 * M, 3.7 * B, 45, 27, 14),
        ("conv4_3", 2 * M, 3.7 * B, 34, 34, 15),
        ("conv5_1", 2 * M, 925 * M, 32, 35, 12),
        ("conv5_2", 2 * M, 925 * M, 29, 29, 9),
        ("conv5_3", 2 * M, 925 * M, 19, 36, 11),
        ("fc6", 103 * M, 206 * M, 38, 4, 1),
        ("fc7", 17 * M, 34 * M, 42, 4, 2),
        ("fc8", 4 * M, 8 * M, 100, 23, 9),
        ("total", 138 * M, 30.9 * B, 64, 7.5, 21),
    ),
}  # fmt: skip
"""Keyed by the zoo's names; layers are in the same order as the zoo's."""
