"""What scripted jobs are about: nets of random weights, accuracies, scans, epochs and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from core.events import Accuracy, Batch, Epoch, Event, Measured
from core.jobs.net import Net
from core.nets.footprint import Sizes
from core.nets.layers import Layer
from core.pruning.budgets.costs import LayerCosts, NetCosts
from core.pruning.curves import SPARSITIES, UNIFORM_SPARSITIES, Point, Scan
from core.pruning.presets import preset_plan
from core.pruning.what_if import Profile
from core.reconstruction.tasks import LayerReconstructed

SHAPES = {
    "conv1": (32, 1, 5, 5),
    "conv2": (32, 32, 5, 5),
    "conv3": (64, 32, 5, 5),
    "fc1": (256, 576),
    "fc2": (10, 256),
}
DENSE = Accuracy(99.18, 99.41)
PRUNED = Accuracy(11.24, 11.35)
RECONSTRUCTED = Accuracy(97.60, 98.09)
TUNED = Accuracy(99.26, 99.31)
LAYER = LayerReconstructed("conv2", 2, 5, 1_280, 0.521, 0.0173)
SIZES = Sizes(24_732, 31_020, 912_616, 58_211, 24_100)
PATIENCE = 120.0
MODERATE, AGGRESSIVE = (
    preset_plan(name, "cnn5", tuple(SHAPES)) for name in ("moderate", "aggressive")
)


def net(
    plan: Mapping[str, float] | None = None,
    accuracy: Accuracy = DENSE,
    shapes: Mapping[str, tuple[int, ...]] = SHAPES,
) -> Net:
    """A net, by default of cnn5's shapes, with weights from a fixed seed, pruned to a plan."""
    rng = np.random.default_rng(0)
    profiles = []
    for name, shape in shapes.items():
        weight = rng.normal(0, 0.05, shape).astype(np.float32)
        layer = _layer(name, shape)
        threshold = Profile.of(layer, weight).what_if((plan or {}).get(name, 0.0)).threshold
        profiles.append(Profile.of(layer, np.where(np.abs(weight) > threshold, weight, 0)))
    return Net({}, accuracy, tuple(profiles), 0, digest=repr(plan))


def residual() -> Net:
    """A net with the layer names and kinds of a ResNet, but small, from a fixed seed."""
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"conv1": (8, 1, 7, 7)}
    for stage, blocks in enumerate((3, 4, 6, 3), 1):
        for block in range(blocks):
            name, width = f"layer{stage}.{block}", 4 * stage
            shapes |= {f"{name}.conv1": (width, 2 * width, 1, 1)}
            shapes |= {f"{name}.conv2": (width, width, 3, 3)}
            shapes |= {f"{name}.conv3": (2 * width, width, 1, 1)}
            if block == 0:
                shapes |= {f"{name}.downsample.0": (2 * width, 2 * width, 1, 1)}
    shapes["fc"] = (10, 32)
    return Net({}, DENSE, tuple(_profile(rng, *item) for item in shapes.items()), 0)


def _profile(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Profile:
    weight = rng.normal(0, 0.05, shape).astype(np.float32)
    return Profile.of(_layer(name, shape), weight)


def _layer(name: str, shape: tuple[int, ...]) -> Layer:
    kind = "convolution" if len(shape) == 4 else "linear"
    return Layer(name, shape, prod(shape), prod(shape) + shape[0], kind=kind)


def scanned(images: int, names: Sequence[str] = tuple(SHAPES)) -> Scan:
    """Curves that fall one after the other, each point on `images` of 5,000 images."""

    def point(sparsity: float, falls: float) -> Point:
        share = 0.9918 - 0.9 / (1 + np.exp(-30 * (sparsity - falls)))
        return Point(sparsity, round(share * images), images)

    layers = {
        name: tuple(point(sparsity, 0.75 + 0.1 * (place % 5)) for sparsity in SPARSITIES)
        for place, name in enumerate(names)
    }
    uniform = tuple(point(sparsity, 0.72) for sparsity in UNIFORM_SPARSITIES)
    return Scan("validation", 5_000, layers, uniform, "fp32", True, False)


def course(epochs: int = 5, batches: int = 40) -> list[Event]:
    """The events of a fine-tuning: the plan measured, then batches and epochs."""
    events: list[Event] = [Measured("pruned", PRUNED)]
    for epoch in range(1, epochs + 1):
        for batch in range(1, batches + 1):
            at = epoch - 1 + batch / batches
            seen = 55_000 * batch // batches
            accuracy = 99.2 - 6 / (1 + 4 * at) + 0.4 * np.sin(9 * at)
            rate = 0.005 * (0.1 + np.sin(np.pi * at / epochs) ** 2)
            sparsity = 0.97 * (1 - (1 - min(1, 2 * at / epochs)) ** 3)
            batch = Batch(epoch, epochs, seen, 55_000, 0.3 / (1 + at), accuracy, 18 * at)
            events.append(replace(batch, rate=float(rate), sparsity=sparsity))
        final = epoch >= epochs / 2
        validation = 98.2 + 0.22 * epoch
        events.append(Epoch(epoch, 0.3 / (1 + epoch), validation, 18.0, 0.97, final, 0))
    return events


MACS = NetCosts(
    "macs",
    {
        name: LayerCosts.per_weight(prod(shape), uses)
        for (name, shape), uses in zip(SHAPES.items(), (576, 400, 36, 1, 1), strict=True)
    },
    0.0,
)
"""The multiplications of cnn5."""

TIMES = NetCosts(
    "ns",
    {
        name: LayerCosts((0, prod(shape)), (1_000.0, 1_000.0 + prod(shape)))
        for name, shape in SHAPES.items()
    },
    5_000.0,
)
"""A nanosecond for each weight of cnn5, and 0.01 ms without any."""
