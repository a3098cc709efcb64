"""Nets as people bring them; each takes images [N, 1, 16, 16] and gives logits [N, 10].

This is also a model's file: `--model tests/core/peoples_nets.py:NAME`.
"""

from __future__ import annotations

import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

Out = namedtuple("Out", ["logits", "aux"])


@dataclass
class Named:
    hidden: Tensor
    logits: Tensor


class Plain(nn.Module):
    """What the others start from."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
        self.fc1, self.fc2 = nn.Linear(6 * 14 * 14, 20), nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.bn(self.conv(x)).relu().flatten(1)
        return self.fc2(self.fc1(x).relu())


class TrainReturnsNothing(Plain):
    """`train()` freezes the norms and, against torch's habit, returns nothing."""

    def train(self, mode: bool = True) -> None:
        super().train(mode)
        self.bn.eval()


class AuxiliaryLogits(Plain):
    """Two outputs, a namedtuple, in training alone."""

    def __init__(self) -> None:
        super().__init__()
        self.aux = nn.Linear(6 * 14 * 14, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.bn(self.conv(x)).relu().flatten(1)
        y = self.fc2(self.fc1(x).relu())
        return Out(y, self.aux(x)) if self.training else y


class Several(Plain):
    """Features and logits, in one of several containers."""

    def forward(self, x: Tensor) -> Any:
        hidden = self.fc1(self.bn(self.conv(x)).relu().flatten(1)).relu()
        return self.packed(hidden, self.fc2(hidden))

    def packed(self, hidden: Tensor, logits: Tensor) -> Any:
        return hidden, logits


class SeveralInADict(Several):
    def packed(self, hidden: Tensor, logits: Tensor) -> Any:
        return {"hidden": hidden, "logits": logits}


class SeveralInAClass(Several):
    def packed(self, hidden: Tensor, logits: Tensor) -> Any:
        return Named(hidden, logits)


class Lazy(nn.Sequential):
    """Layers that learn their input's size at the first batch."""

    def __init__(self) -> None:
        super().__init__(
            nn.LazyConv2d(6, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(20), nn.ReLU(),
            nn.LazyLinear(10),
        )  # fmt: skip


class NormOfOneImage(nn.Sequential):
    """BatchNorm1d cannot train on a last batch of one image."""

    def __init__(self) -> None:
        super().__init__(
            nn.Flatten(), nn.Linear(256, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10)
        )


class AllFrozen(Plain):
    """Nothing requires a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)


class KeepsActivation(Plain):
    """`forward` leaves an activation on the module: torch cannot deepcopy it after a step."""

    def forward(self, x: Tensor) -> Tensor:
        self.features = self.bn(self.conv(x)).relu()
        return self.fc2(self.fc1(self.features.flatten(1)).relu())


class Fails(Plain):
    """Works for its first 30 calls in training, then fails in every call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Any:
        self.calls += self.training
        logits = super().forward(x)
        return logits if self.calls <= 30 else self.failed(logits)

    def failed(self, logits: Tensor) -> Any:
        raise RuntimeError("out of\nluck")


class FailsByExit(Fails):
    def failed(self, logits: Tensor) -> Any:
        raise SystemExit("bye")


class FailsByTuple(Fails):
    def failed(self, logits: Tensor) -> Any:
        return logits[:, :3], logits[:, 3:]


class FailsByShape(Fails):
    def failed(self, logits: Tensor) -> Any:
        return logits[:, :7]


class FailsByIntegers(Fails):
    def failed(self, logits: Tensor) -> Any:
        return logits.long()


class FailsAtOnce(Fails):
    """Fails in the first training step, not in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 30


class FailsInTrain(Plain):
    def train(self, mode: bool = True) -> Any:
        if mode:
            raise ValueError("no training today")
        return super().train(mode)


class FailsBackward(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return Crooked.apply(super().forward(x))


class Crooked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise RuntimeError("no way back")


class OwnStop(BaseException):
    """Of the user's own, and no Exception."""


class StopsTraining(Plain):
    def forward(self, x: Tensor) -> Any:
        if self.training:
            raise OwnStop("enough")
        return super().forward(x)


class WithoutGradient(Plain):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Any:
        return super().forward(x)


class Detached(Plain):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x).detach()


class Grows(Plain):
    """Creates a layer in its first forward."""

    def forward(self, x: Tensor) -> Any:
        if not hasattr(self, "extra"):
            self.extra = nn.Linear(10, 10)
        return self.extra(super().forward(x))


class GrowsInTraining(Grows):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x) if self.training else Plain.forward(self, x)


class Shrinks(Plain):
    """Drops a layer in its first forward."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Any:
        self.unused = None
        return super().forward(x)


class Remembers(Plain):
    """A stored buffer with a row for each image of the last batch."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("last", torch.zeros(1, 10))

    def forward(self, x: Tensor) -> Any:
        logits = super().forward(x)
        self.last = logits.detach()
        return logits


class Caches(Plain):
    """A buffer that is made in forward, and not stored."""

    def forward(self, x: Tensor) -> Any:
        self.register_buffer("seen", torch.tensor(len(x)), persistent=False)
        return super().forward(x)


class CannotBeListed(Plain):
    def parameters(self, recurse: bool = True) -> Any:
        raise ValueError("no parameters today")


class CannotBeMoved(Plain):
    def to(self, *args: Any, **options: Any) -> Any:
        raise ValueError("no moving today")


class CannotBeStored(Plain):
    def state_dict(self, *args: Any, **options: Any) -> Any:
        raise OwnStop("no state today")


class CannotBeLoaded(Plain):
    def load_state_dict(self, *args: Any, **options: Any) -> Any:
        raise ValueError("no loading today")


class KeepsExtraState(Plain):
    """Its extra state is no tensor, and never lost: a copy without it does not run."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = {"logits": 2.0}

    def get_extra_state(self) -> Any:
        return self.scale

    def set_extra_state(self, state: Any) -> None:
        self.scale = state

    def forward(self, x: Tensor) -> Tensor:
        return self.scale["logits"] * super().forward(x)


class OfAProgram(nn.Module):
    """A TorchScript program before a plain layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = scripted()
        self.head = nn.Linear(10, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def scripted() -> nn.Module:
    return _quietly(lambda: torch.jit.script(Plain()))


def traced() -> nn.Module:
    return _quietly(lambda: torch.jit.trace(Plain().eval(), torch.zeros(2, 1, 16, 16)))


def exported() -> nn.Module:
    return torch.export.export(Plain(), (torch.zeros(2, 1, 16, 16),)).module()


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return Plain()


def _quietly(make: Callable[[], nn.Module]) -> nn.Module:
    with warnings.catch_warnings(action="ignore"):
        return make()


class ExitsWhenBuilt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        raise SystemExit(3)


def tiny(root: Path, train: int = 257) -> Path:
    """Ten classes of 16x16 gray images: a blob at a place of its own each, and noise."""
    random = np.random.default_rng(0)
    for split, count in (("train", train), ("val", 40), ("test", 40)):
        for number in range(count):
            label = number % 10
            folder = root / split / f"c{label}"
            folder.mkdir(parents=True, exist_ok=True)
            image = random.normal(60, 40, (16, 16))
            y, x = divmod(label, 4)
            image[1 + 4 * y : 5 + 4 * y, 4 * x : 4 + 4 * x] += 70
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return root
