"""A slider move on VGG-16's first linear layer, 103 M weights, and the preparation for it.

A move is all that the screen needs: the new plan with the what-ifs of all 16 layers, the cost of
the net, and the histogram of the layer in a wide terminal. Sparsities come in random order, so
that no search profits from the cache lines of the one before.
"""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import median
from threading import Thread
from time import perf_counter, sleep

import torch
from torch import Tensor

from core.events import Accuracy
from core.jobs.net import Net
from core.nets.layers import Layer
from core.pruning.plans import prune_count
from core.pruning.what_if import Profile
from tests.benchmarks.support import vgg16
from tests.benchmarks.support.figures import Figure, in_turns
from tests.benchmarks.support.memory import in_fresh_process, peak_of
from tui.plots.drawing.weight_bins import bins
from tui.state.state import State

LAYERS = vgg16.layers()
LARGEST = max(range(len(LAYERS)), key=lambda index: LAYERS[index].elements)
COLUMNS = 250
MOVES = 400


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    weights = vgg16.weights()
    profiles, seconds, gap = _prepared(weights)
    moves = _moves(State().with_dense(Net({}, Accuracy(0.0, 0.0), profiles, 0)).choose(LARGEST))
    total = sum(seconds)
    figure = Figure(
        key="what_if_ms",
        what="what-if: a slider move on 103 M weights, the median",
        value=1000 * median(moves),
        unit=" ms",
        limit=16,
        at_least=False,
        detail={
            "longest ms": 1000 * max(moves),
            "plain ms": 1000 * _plain(weights[LAYERS[LARGEST].key]),
            "preparing": total,
            "preparing, copies of the weights": in_fresh_process(__name__, "copies"),
            "preparing, longest wait of another thread ms": 1000 * gap,
            **_by_size(seconds),
        },
    )
    return [figure]


def _moves(state: State) -> list[float]:
    """Seconds of each of many moves."""
    sparsities = [step / MOVES for step in range(1, MOVES)]
    random.Random(0).shuffle(sparsities)
    seconds = []
    for sparsity in sparsities:
        start = perf_counter()
        moved = state.set_sparsity((LARGEST,), sparsity)
        cut, _ = moved.what_ifs[LARGEST], moved.footprint
        moved.profiles[LARGEST].histogram(cut, bins(COLUMNS))
        seconds.append(perf_counter() - start)
    return seconds


def _plain(weight: Tensor) -> float:
    """Seconds of the same on the tensor: kthvalue, comparison, histogram of the rest."""

    def move() -> Tensor:
        magnitudes = weight.abs()
        k = prune_count(0.9, weight.numel())
        keep = magnitudes > magnitudes.flatten().kthvalue(k).values
        return torch.histc(weight[keep], bins(COLUMNS))

    return median(in_turns({"plain": move}, rounds=3, warm=0)["plain"])


def _prepared(weights: dict[str, Tensor]) -> tuple[tuple[Profile, ...], list[float], float]:
    """Profiles of all layers, built in a thread; seconds of each; this thread's longest wait."""
    profiles: list[Profile] = []
    seconds: list[float] = []

    def prepare() -> None:
        for layer in LAYERS:
            start = perf_counter()
            profiles.append(_profile(layer, weights))
            seconds.append(perf_counter() - start)

    worker = Thread(target=prepare)
    worker.start()
    seen = [perf_counter()]
    while worker.is_alive():
        sleep(0.001)
        seen.append(perf_counter())
    gap = max(after - before for before, after in pairwise(seen))
    return tuple(profiles), seconds, gap


def _by_size(seconds: list[float]) -> dict[str, float]:
    """Nanoseconds per weight of some layers, small to large: equal if the time is linear."""
    by_elements = {
        layer.elements: 1e9 * s / layer.elements for layer, s in zip(LAYERS, seconds, strict=True)
    }
    return {
        f"preparing {elements / 1e6:.3g} M, ns per weight": by_elements[elements]
        for elements in sorted(by_elements)[2:]
    }


def copies() -> float:
    """Copies of the weights that preparing takes at its peak; run in a process of its own."""
    weights = vgg16.weights()
    size = sum(weight.nbytes for weight in weights.values())
    _profile(LAYERS[0], weights)  # loads the code
    return peak_of(lambda: [_profile(layer, weights) for layer in LAYERS]) / size


def _profile(layer: Layer, weights: dict[str, Tensor]) -> Profile:
    return Profile.of(layer, weights[layer.key].numpy())
