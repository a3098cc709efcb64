"""Nets a user might have, written to a Python file."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from helper import WIDTH


class Block(nn.Module):
    """Depthwise and grouped convolutions, batch norm and an addition."""

    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.grouped = nn.Conv2d(width, width, 1, groups=2)

    def forward(self, x):
        return F.relu(x + self.grouped(F.relu(self.norm(self.depthwise(x)))))


class Net(nn.Module):
    """Two blocks, and two linears that share a weight."""

    def __init__(self, channels=1, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(channels, WIDTH, 5, stride=4)
        self.blocks = nn.Sequential(Block(WIDTH), Block(WIDTH))
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.again = nn.Linear(WIDTH, WIDTH)
        self.again.weight = self.mix.weight
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x))).mean((2, 3))
        return self.head(self.again(F.relu(self.mix(x))))


class Viewing(nn.Module):
    """It calls view on what a convolution gives, which takes one layout in memory only."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 5, stride=4)
        self.fc = nn.Linear(108, 10)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).view(len(x), -1))


class Attending(nn.Module):
    """Attention over the rows of an image, a transposed convolution, weight norm, an embedding."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(28, 28, 2)
        self.place = nn.Embedding(28, 28)
        self.attention = nn.MultiheadAttention(28, 4, batch_first=True)
        self.normed = weight_norm(nn.Linear(28, 28))
        self.rows = nn.GRU(28, 12, batch_first=True)
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        x = self.up(x[:, 0])[..., :28] + self.place(torch.arange(28))
        x = self.normed(self.attention(x, x, x)[0])
        return self.head(self.rows(x)[0][:, -1])


class Deep(nn.Module):
    """A stem, four stages of sixteen blocks with three small convolutions each, a head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 7, stride=7)
        for stage in range(1, 5):
            self.add_module(f"stage{stage}", nn.Sequential(*map(self._block, range(16))))
        self.head = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))

    @staticmethod
    def _block(_):
        depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        return nn.Sequential(nn.Conv2d(4, 8, 1), depthwise, nn.ReLU(), nn.Conv2d(8, 4, 1))

    def forward(self, x):
        x = self.stem(x)
        for stage in (self.stage1, self.stage2, self.stage3, self.stage4):
            for block in stage:
                x = x + block(x)
        return self.head(x.flatten(1))


def coloured():
    return Net(channels=3, classes=3)


def factory():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def needy(width, depth=2):
    return factory()


def broken():
    raise RuntimeError("no weights\\ntoday")


def number():
    return 5


def flat():
    return nn.Linear(784, 10)


def few():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 3))


def pair():
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    return nn.Sequential(nn.Linear(28, 10), Pair())


def empty():
    return nn.Sequential(nn.Flatten(), nn.ReLU(), nn.AdaptiveAvgPool1d(10))


constant = 3

made = nn.Linear(2, 2)
'''


def write(folder: Path) -> Path:
    """Write the file, and another one that it imports."""
    path = folder / "mine.py"
    path.write_text(SOURCE)
    (folder / "helper.py").write_text("WIDTH = 12\n")
    return path
