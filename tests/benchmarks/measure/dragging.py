"""Accuracy estimates while dragging, over 400 random plans: intervals and forecast."""

from __future__ import annotations

from math import prod
from statistics import mean

import numpy as np

from core.events import Event, drain
from core.jobs import measurement
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.pruning.curves import SampleUpdated, Scan
from core.pruning.forecast import drop, forecast, lowest
from core.pruning.plans import Plan
from core.settings.settings import Settings
from tests.benchmarks.support.figures import Figure

PLANS = 400
SPARSEST = (0.5, 0.8, 1.2, 1.7)
"""Powers of ten that a layer's density goes down to, in turns: from barely pruned to broken."""

MARGIN = 5.0
"""Points above the lowest accuracy from which a forecast is worth comparing."""


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """Check every interval shown before all images were counted, and every forecast."""
    workbench = Workbench(Settings())
    base = drain(open_dense_net(workbench))
    scan = drain(measurement.scan(workbench, base.weights))
    dense = base.accuracy.validation
    held: dict[int, list[bool]] = {}
    errors: dict[str, list[float]] = {"product": [], "sum": []}
    for seed in range(PLANS):
        plan = random_plan(workbench.layer_names, seed)
        reported: list[Event] = []
        drain(measurement.sample(workbench, base, plan), reported.append)
        samples = [event.sample for event in reported if isinstance(event, SampleUpdated)]
        truth = samples[-1].accuracy
        assert truth is not None, "all images were counted"
        for sample in samples[:-1]:
            low, high = sample.interval
            held.setdefault(sample.images, []).append(low <= truth <= high)
        if lowest(scan) + MARGIN < truth < dense - MARGIN / 10:
            for name, predicted in _forecasts(base, plan, scan, dense).items():
                errors[name].append(abs(predicted - truth))
    shown = [one for each in held.values() for one in each]
    shares = {f"percent_of_{images}": 100 * mean(each) for images, each in held.items()}
    points = {f"{name}_points": mean(each) for name, each in errors.items()}
    return [
        Figure(
            "drag_intervals",
            f"{len(shown)} intervals of {PLANS} random plans that hold the full accuracy",
            100 * mean(shown),
            " %",
            93,
            True,
            shares,
        ),
        Figure(
            "forecast",
            f"error of the sum of losses over that of their product, {len(errors['sum'])} plans",
            points["sum_points"] / points["product_points"],
            "x",
            1,
            False,
            points,
        ),
    ]


def random_plan(layers: tuple[str, ...], seed: int) -> Plan:
    """Each layer's density log-uniform down to a power of ten that depends on the seed."""
    powers = np.random.default_rng(seed).uniform(0, SPARSEST[seed % len(SPARSEST)], len(layers))
    return {
        layer: float(round(1 - 10**-power, 4)) for layer, power in zip(layers, powers, strict=True)
    }


def _forecasts(base: Net, plan: Plan, scan: Scan, dense: float) -> dict[str, float]:
    alone = (drop(scan, one, plan[one.layer.name], dense) for one in base.profiles)
    left = prod(1 - points / dense for points in alone if points is not None)
    added = forecast(scan, base.profiles, plan, dense)
    assert added is not None, "every layer was scanned"
    return {"product": max(lowest(scan), dense * left), "sum": added}
