"""Results of scripted jobs: latencies, predictions and trials."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.inference.benchmark_result import SPARSE, Amounts, Benchmark, Row
from core.inference.engines import DENSE_ENGINES as ENGINES
from core.jobs.net import Net
from core.lightest.trials import Trial
from core.measure.comparison import ConfusionCounts, NetComparison, Predictions
from core.pruning.plans import Plan
from core.settings.settings import Settings
from core.system.timing import Latency

MILLISECONDS = (0.85, 0.765, 0.305, 0.479, 0.0676)


def timed(batches: tuple[int, ...], threads: tuple[int, ...]) -> Benchmark:
    """Every engine; with two threads the sparse one is slower than the best."""
    engines = (*(engine.name for engine in ENGINES), SPARSE)
    rows = (
        Row(engine, batch, count, Latency(seconds, 0.9 * seconds, 1.2 * seconds), 100)
        for count in threads
        for batch in batches
        for engine, ms in zip(engines, MILLISECONDS, strict=True)
        for seconds in [ms / 1000 * batch * (6 if count == 2 and engine == SPARSE else 1)]
    )
    amounts = Amounts(12_694_016, 713_000, 11_500_000), Amounts(228_010, 6_183, 200_000)
    return Benchmark(max(threads), *amounts, tuple(rows))


def compared(counted: bool) -> NetComparison:
    """Ten squares of growing size, the last two of which the pruned net gets wrong."""
    pixels = np.zeros((10, 28, 28), np.uint8)
    for size, image in enumerate(pixels, 4):
        image[14 - size : 14 + size, 14 - size : 14 + size] = 255
    labels = np.arange(10)
    pruned = np.where(labels < 8, labels, 1)
    shares = np.full((10, 10), 5.0, np.float32)
    shares[labels, pruned] = 55.0
    both = Predictions(labels, np.eye(10, dtype=np.float32) * 100), Predictions(pruned, shares)
    answers = np.tile(labels, 1_000), np.tile(pruned, 1_000)
    found = ConfusionCounts.of(np.tile(labels, 1_000), *answers, 10) if counted else None
    return NetComparison(labels, pixels, labels, *both, found)


def tried(
    number: int, ratio: float, settings: Settings, base: Net, plan: Plan, result: Any
) -> Trial:
    """A trial of a descent, of which the first passes."""
    return Trial(
        number=number,
        ratio=ratio,
        epochs=5,
        settings=settings,
        base=base,
        plan=plan,
        result=result,
        accurate=number == 1,
        cost=228_010 // ratio,
        passed=number == 1,
    )
