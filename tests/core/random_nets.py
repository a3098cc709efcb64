"""Small random nets of every structure that matters when a net is split."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import strategies as st
from torch import Tensor, nn

CHANNELS = 4


class Residual(nn.Module):
    """Two convolutions and an addition; the activation may work in place."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.norm = nn.BatchNorm2d(CHANNELS)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.act = nn.ReLU(inplace=inplace)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.conv2(self.act(self.norm(self.conv1(x)))))


class RandomNet(nn.Module):
    """Blocks in an order, some of them more than once, and a head that flattens or averages."""

    def __init__(self, blocks: list[str], inplace: bool, average: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, CHANNELS, 3)
        kinds: dict[str, Callable[[], nn.Module]] = {
            "conv": lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
            "norm": lambda: nn.BatchNorm2d(CHANNELS),
            "relu": lambda: nn.ReLU(inplace=inplace),
            "residual": lambda: Residual(inplace),
            "dropout": lambda: nn.Dropout(0.5),
        }
        self.shared = kinds["conv"]()
        self.blocks = nn.ModuleList(
            self.shared if name == "shared" else kinds[name]() for name in blocks
        )
        self.average = average
        self.head = nn.Linear(CHANNELS if average else CHANNELS * 36, 8)
        self.out = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = x.mean((2, 3)) if self.average else x.reshape(x.size(0), -1)
        return self.out(F.relu(self.head(x)))


BLOCKS = st.lists(
    st.sampled_from(["conv", "norm", "relu", "residual", "shared", "dropout"]), max_size=6
)


@st.composite
def random_nets(draw: st.DrawFn) -> RandomNet:
    """A net in evaluation mode; its batch norms have statistics other than 0 and 1."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    net = RandomNet(draw(BLOCKS), inplace=draw(st.booleans()), average=draw(st.booleans()))
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                tensor.data.uniform_(0.1, 0.7)
    return net.eval()
