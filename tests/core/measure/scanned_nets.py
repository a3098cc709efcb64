"""Nets with scans to allocate sparsities to, and the ranking of each method by its definition."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st
from safetensors.numpy import load_file

from core.nets.layers import Layer
from core.nets.zoo import model_spec
from core.pruning.allocation import allocate
from core.pruning.budgets.costs import parameter_costs
from core.pruning.curves import SPARSITIES, Point, Scan
from core.pruning.goals import ALLOCATIONS, DYNAMIC, NEEDING_SCAN
from core.pruning.plans import Plan, prune_count
from core.pruning.scores import sensitivity
from core.pruning.what_if import Profile

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

IMAGES = 500
WITHOUT_SCAN = [name for name in ALLOCATIONS if name not in NEEDING_SCAN]
every_method = pytest.mark.parametrize("method", ALLOCATIONS)
every_ranking = pytest.mark.parametrize("method", [m for m in ALLOCATIONS if m != DYNAMIC])


@dataclass(frozen=True)
class Net:
    """Layers to allocate to, and the curves of their scan."""

    weights: tuple[Floats, ...]
    profiles: tuple[Profile, ...]
    other: int
    scan: Scan
    dense: float

    @property
    def parameters(self) -> int:
        return sum(p.layer.parameters for p in self.profiles) + self.other

    @property
    def caps(self) -> list[int]:
        return [int(np.count_nonzero(weight)) for weight in self.weights]

    @property
    def fixed(self) -> int:
        return self.parameters - sum(weight.size for weight in self.weights)

    def allocate(self, method: str, budget: int, locked: Plan | None = None) -> Plan:
        return allocate(
            method,
            self.profiles,
            budget,
            parameter_costs([profile.layer for profile in self.profiles], self.parameters),
            locked=locked or {},
            scan=self.scan if method in NEEDING_SCAN else None,
            dense=self.dense if method in NEEDING_SCAN else None,
        )

    def kept(self, plan: Plan) -> list[int]:
        """The number of weights a plan keeps in each layer."""
        return [
            weight.size - prune_count(plan[p.layer.name], weight.size)
            for weight, p in zip(self.weights, self.profiles, strict=True)
        ]


def net_of(weights: list[Floats], scan: Scan, dense: float, biased: bool, other: int) -> Net:
    layers = [
        Layer(f"l{i}", w.shape, w.size, w.size + biased * w.shape[0]) for i, w in enumerate(weights)
    ]
    profiles = tuple(Profile.of(la, w) for la, w in zip(layers, weights, strict=True))
    return Net(tuple(weights), profiles, other, scan, dense)


def scan_of(curves: list[list[tuple[float, int, int]]]) -> Scan:
    layers = {
        f"l{i}": tuple(Point(sparsity, correct, images) for sparsity, correct, images in curve)
        for i, curve in enumerate(curves)
    }
    return Scan("validation", IMAGES, layers, (), "fp32", traced=True, stopped=False)


UNIT = st.floats(0, 1)
COUNTS = st.integers(0, 20)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.sampled_from(
    [(4, 1, 3, 3), (5, 4, 2, 2), (3, 2, 5), (1, 1), (40, 2), (2, 3, 1, 1, 2)]
)


@st.composite
def weights_of(draw: st.DrawFn) -> Floats:
    random, shape = np.random.default_rng(draw(SEEDS)), draw(SHAPES)
    weight = random.normal(0.1, 10.0 ** draw(st.integers(-9, 9)), shape)
    match draw(st.sampled_from(["any", "any", "ties", "sparse", "equal", "zero"])):
        case "ties":
            weight = random.choice([-1, -0.5, 0, 0.25, 0.5, 1], shape)
        case "sparse":
            weight *= random.random(shape) < 0.3
        case "equal":
            weight = np.full(shape, 0.3)
        case "zero":
            weight = np.zeros(shape)
    return weight.astype(np.float32)


def curve_of(random: np.random.Generator) -> list[tuple[float, int, int]]:
    """An unordered curve with at least one measured point."""
    sparsities = random.permutation(21)[: random.integers(1, 8)] / 20
    images = random.choice([0, 100, IMAGES], sparsities.size)
    images[0] = IMAGES
    return [
        (float(s), int(random.integers(n + 1)), int(n))
        for s, n in zip(sparsities, images, strict=True)
    ]


@st.composite
def nets(draw: st.DrawFn) -> Net:
    weights = draw(st.lists(weights_of(), min_size=1, max_size=6))
    random = np.random.default_rng(draw(SEEDS))
    scan = scan_of([curve_of(random) for _ in weights])
    return net_of(weights, scan, draw(st.floats(50, 100)), draw(st.booleans()), draw(COUNTS))


@cache
def cnn5() -> Net:
    """The shipped net."""
    stored = load_file(model_spec("cnn5").shipped_weights)
    names = ["conv1", "conv2", "conv3", "fc1", "fc2"]
    weights = tuple(stored[f"{name}.weight"] for name in names)
    layers = [
        Layer(name, w.shape, w.size, w.size + stored[f"{name}.bias"].size)
        for name, w in zip(names, weights, strict=True)
    ]
    profiles = tuple(Profile.of(la, w) for la, w in zip(layers, weights, strict=True))
    curve = tuple(Point(s, round(IMAGES * (1 - s**9)), IMAGES) for s in SPARSITIES)
    points = dict.fromkeys(names, curve)
    return Net(weights, profiles, 0, replace(scan_of([]), layers=points), 100.0)


def descending(weight: Floats) -> Doubles:
    magnitudes = np.abs(weight[weight != 0]).astype(np.float64)
    return np.sort(magnitudes)[::-1]


def lamp_scores(weight: Floats) -> Doubles:
    """The paper's formula, from the largest down; those of one magnitude count one another."""
    squares = descending(weight) ** 2
    tied = np.searchsorted(-squares, -squares, side="right") - 1
    scores: Doubles = squares / np.cumsum(squares)[tied]
    return scores


def priorities(method: str, net: Net, layer: int) -> Doubles:
    """The priorities of a layer's weights by definition, highest first."""
    weight, ranks = net.weights[layer], np.arange(1, net.caps[layer] + 1)
    match method:
        case "uniform":
            return weight.size / (ranks - 0.5)
        case "erk":
            density = sum(weight.shape) / math.prod(weight.shape)
            return density * weight.size / (ranks - 0.5)
        case "magnitude":
            return descending(weight)
        case "han":
            spread = weight[weight != 0].std(dtype=np.float64) if weight.any() else 1.0
            equal = spread < 1e-9 * np.abs(weight).max()
            return descending(weight) / (1.0 if equal else spread) + (math.inf if equal else 0.0)
        case "lamp":
            return lamp_scores(weight)
        case _:
            profile = net.profiles[layer]
            curve = sensitivity(profile, net.scan.layers[profile.layer.name], net.dense)
            return np.array([curve.drop(1 - (rank - 1) / weight.size) for rank in ranks])


def largest_left(method: str, net: Net, kept: list[int]) -> tuple[float, float]:
    """The lowest priority kept, and the highest not kept."""
    ranked = [priorities(method, net, layer) for layer in range(len(kept))]
    low = min((r[n - 1] for r, n in zip(ranked, kept, strict=True) if n), default=math.inf)
    high = max((r[n] for r, n in zip(ranked, kept, strict=True) if n < r.size), default=0.0)
    return float(low), float(high)
