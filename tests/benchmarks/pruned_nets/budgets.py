"""Goals in time, kept to by real nets; and how long dynamic programming takes for many layers."""

from __future__ import annotations

from functools import partial
from time import process_time, thread_time

import numpy as np

from core.events import drain
from core.formats.weights_files import load_weights
from core.inference.engines import run
from core.inference.sparse.net import faster
from core.jobs import measurement
from core.jobs.workbench import Workbench
from core.pruning.allocation import allocate
from core.pruning.budgets.costs import LayerCosts
from core.pruning.budgets.dynamic import Curve, least_drop
from core.pruning.goals import NANOSECONDS, Goal
from core.pruning.masks import Masks
from core.pruning.scores import SensitivityRanking
from core.pruning.what_if import Profile
from core.settings.settings import Settings
from core.system.timing import time_in_turns
from tests.benchmarks.support.figures import Figure

MILLISECONDS = (0.2, 0.15, 0.08, 0.05)
LAYERS, SECONDS = 50, 0.5


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """Each figure measured."""
    return [{"time_goals": _time_goals, "dp_50_layers": _many_layers}[key]() for key in wanted]


def _time_goals() -> Figure:
    """Nets planned for a time, in one thread, whose own time other programs do not change."""
    bench = Workbench(Settings(device="cpu", threads=1))
    weights = load_weights(bench.spec.shipped_weights, bench.models.uninitialized())
    profiles = [Profile.of(layer, weights[layer.key].numpy()) for layer in bench.layers]
    costs = drain(measurement.costs_in(bench, weights, "ns"))
    image = drain(bench.splits()).validation.batch(slice(0, 1))[0].contiguous()
    measured = {}
    for goal in MILLISECONDS:
        budget = Goal("ms", goal).budget(round(costs.dense))
        plan = allocate("lamp", profiles, budget, costs)
        net = bench.models.for_inference(Masks.of(weights, bench.layers, plan).apply(weights))
        best = drain(faster(net, image, 1)).net
        (*_, times) = time_in_turns({goal: partial(run, best, image)}, 1.0, thread_time)
        measured[f"{goal} ms"] = min(times[goal]) * 1e9 / NANOSECONDS
    errors = [
        abs(time / goal - 1) for time, goal in zip(measured.values(), MILLISECONDS, strict=True)
    ]
    what = "cnn5 planned for 0.2 to 0.05 ms, the furthest that one is from its goal"
    return Figure("time_goals", what, 100 * max(errors), "%", 20, False, measured)


def _many_layers() -> Figure:
    random, curves = np.random.default_rng(0), []
    sparsities = np.append(np.arange(0, 1, 0.05), 1.0)
    for elements in random.integers(1_000, 2_000_000, LAYERS).tolist():
        drops = np.sort(random.exponential(1, sparsities.size)).cumsum()
        ranking = SensitivityRanking(elements, elements, sparsities, drops - drops[0])
        uses = int(random.integers(1, 3_000))
        curves.append(Curve.of(ranking, LayerCosts.per_weight(elements, uses)))
    dense, start = sum(curve.costs.costs[-1] for curve in curves), process_time()
    least_drop(curves, 0.1 * dense)
    what = "dynamic programming, 50 layers with about 140 sparsities each"
    return Figure("dp_50_layers", what, process_time() - start, "s", SECONDS, False)
