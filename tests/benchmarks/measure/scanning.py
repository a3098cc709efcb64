"""The sensitivity scan on the 10,000 test images, against one full evaluation per point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import cycle

import torch
from torch import nn

from core.data.batches import CPU, Images
from core.events import drain
from core.measure.coarse_filter import FIRST_CHECKS, SAFETY
from core.measure.int8_convolutions import Int8Convolutions, is_fast_here
from core.measure.sensitivity_scan import MOST_IMAGES, scan
from core.nets.layers import Layer, prunable_layers
from core.pruning.curves import SPARSITIES, WITHIN, Scan
from core.pruning.thresholds import pruned_by, threshold
from core.system.precision import autocast
from tests.benchmarks.support import plain
from tests.benchmarks.support.figures import Figure, Way, in_turns, medians, ratio
from tests.benchmarks.support.subject import subject

ROUNDS = 5
POINTS_A_ROUND = 3
"""Points that the plain way evaluates per round; its time is scaled to all points."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """Both scans and part of the plain way in turns, five rounds; then compare every count."""
    cnn5 = subject()
    model, test = cnn5.net, cnn5.data.test
    points = [(layer, s) for layer in prunable_layers(model) for s in SPARSITIES]
    results: dict[str, Scan] = {}

    def run(name: str, within: float | None, precision: str) -> None:
        stream = scan(model, test, split="test", within=within, precision=precision)
        results[name] = drain(stream)

    plain_points = _plain_points(model, cnn5.plain_test, points)
    ways: dict[str, Way] = {
        "plain": lambda: [next(plain_points) for _ in range(POINTS_A_ROUND)],
        "exact": partial(run, "exact", None, cnn5.precision),
        "exact_fp32": partial(run, "exact_fp32", None, "fp32"),
        "quick": partial(run, "quick", WITHIN, cnn5.precision),
    }
    seconds = in_turns(
        {name: way for name, way in ways.items() if name == "plain" or f"scan_{name}" in wanted},
        rounds=ROUNDS,
    )
    share = len(points) / POINTS_A_ROUND
    seconds["plain"] = [share * spent for spent in seconds["plain"]]
    spent = medians(seconds)

    measured = []
    for name in ("exact", "exact_fp32"):
        if name not in results:
            continue
        what = f"{len(points)} points, 10,000 images, exact, against a full evaluation a point"
        what += " in fp32, without bf16" if name == "exact_fp32" else ""
        differ = _points_that_differ(model, test, points, results[name])
        arithmetic = Int8Convolutions if name == "exact_fp32" else partial(autocast, CPU, "bf16")
        exact = name == "exact_fp32" and not is_fast_here()
        worst = 0.0 if exact else _largest_error_over_checked(model, test, points[::5], arithmetic)
        if worst >= SAFETY:
            raise AssertionError(f"an error is {worst} times those checked first")
        detail = {**spent, "points_that_differ": differ, "largest_error_over_checked": worst}
        if differ > 2:
            raise AssertionError(f"{differ} points of the scan are not those of the plain way")
        measured.append(
            Figure(
                f"scan_{name}", what, ratio(seconds["plain"], seconds[name]), "x", 8.0, True, detail
            )
        )
    if "quick" in results:
        what = f"the same, every interval within ±{WITHIN} points"
        seen = [point.images for point in results["quick"].points()]
        widest = max(point.estimate[1] for point in results["quick"].points())
        detail = {**spent, "widest": widest, "fewest_images": min(seen), "most_images": max(seen)}
        if widest > WITHIN:
            raise AssertionError(f"an interval of the quick scan is ±{widest}")
        measured.append(
            Figure(
                "scan_quick",
                what,
                ratio(seconds["plain"], seconds["quick"]),
                "x",
                40.0,
                True,
                detail,
            )
        )
    return measured


def _plain_points(
    model: nn.Module, batches: Iterable[plain.Batch], points: list[tuple[Layer, float]]
) -> Iterator[int]:
    """Prune one layer and evaluate everything; one point per step, spread over the layers."""
    for layer, sparsity in cycle(points[:: len(points) // 15 + 1]):
        with _pruned(model, layer, sparsity) as pruned:
            correct = plain.count_correct(pruned, batches)
        yield correct


def _largest_error_over_checked(
    model: nn.Module,
    data: Images,
    points: list[tuple[Layer, float]],
    arithmetic: Callable[[], AbstractContextManager[object]],
) -> float:
    """The largest error of any image over that of the images checked first; below SAFETY."""
    images = data.batch(slice(0, len(data)))[0]
    step = -(-MOST_IMAGES // FIRST_CHECKS)
    worst = 0.0
    for layer, sparsity in points:
        with _pruned(model, layer, sparsity) as pruned, torch.inference_mode():
            spreads = []
            for batch in images.split(MOST_IMAGES):
                with arithmetic():
                    coarse = pruned(batch)
                error = coarse.float() - pruned(batch)
                spreads.append(error.amax(1) - error.amin(1))
        worst = max(worst, float(torch.cat(spreads).max() / spreads[0][::step].max()))
    return worst


@contextmanager
def _pruned(model: nn.Module, layer: Layer, sparsity: float) -> Iterator[nn.Module]:
    """The net with one layer pruned, restored on exit."""
    weight = model.get_parameter(layer.key)
    dense = weight.detach().clone()
    with torch.no_grad():
        weight.masked_fill_(pruned_by(dense, threshold(dense, sparsity)), 0.0)
        yield model
        weight.copy_(dense)


def _points_that_differ(
    model: nn.Module, data: Images, points: list[tuple[Layer, float]], result: Scan
) -> int:
    """How many points differ from a plain count: float32, contiguous, 256 images per batch."""
    counts = {(name, p.sparsity): p.correct for name, row in result.layers.items() for p in row}
    pixels = ((data.images / 255 - data.mean) / data.std).contiguous()
    batches = list(zip(pixels.split(256), data.labels.split(256), strict=True))
    differ = 0
    for layer, sparsity in points:
        with _pruned(model, layer, sparsity) as pruned:
            differ += plain.count_correct(pruned, batches) != counts[layer.name, sparsity]
    return differ
