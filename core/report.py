"""A result as JSON: the keys of `featherweight run`, `train` and `scan`.

Accuracies are in percent, times in seconds, sparsities are fractions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from core.curves import Point, Scan
from core.events import Epoch
from core.finetuning import FineTuned
from core.footprint import Footprint
from core.training import Trained
from core.workbench import Net, Workbench


def run_report(
    bench: Workbench, base: Net, plan: Mapping[str, float], result: FineTuned
) -> dict[str, Any]:
    """What `featherweight run --json` writes.

    A layer's threshold is that of the plan applied to the base in one shot; its kept count and the
    nonzeros in all are those of the fine-tuned net, every bias counted. `best` is the epoch that
    is kept, null where none ended at the full plan; under the reference protocol validation and
    test are the same number.
    """
    cuts = {p.layer.name: p.cut(plan[p.layer.name]) for p in base.profiles}
    kept = {layer.name: result.masks.kept(layer) for layer in bench.layers}
    pruned_away = sum(layer.elements - kept[layer.name] for layer in bench.layers)
    footprint = Footprint(bench.parameters, bench.parameters - pruned_away)
    return {
        **_settings(bench, result.precision),
        "recipe": bench.settings.recipe,
        "parameters": footprint.parameters,
        "nonzero": footprint.nonzero,
        "ratio": round(footprint.ratio, 2) if footprint.nonzero else None,
        "layers": [
            {
                "name": layer.name,
                "elements": layer.elements,
                "sparsity": plan[layer.name],
                "kept": kept[layer.name],
                "threshold": cuts[layer.name].threshold,
            }
            for layer in bench.layers
        ],
        "accuracy": {
            "dense": asdict(base.accuracy),
            "pruned": asdict(result.pruned),
            "finetuned": asdict(result.accuracy),
        },
        "epochs": [_epoch(epoch) for epoch in result.epochs],
        "best": result.best,
        "revived": result.revived,
        "stopped": result.stopped,
    }


def train_report(bench: Workbench, result: Trained) -> dict[str, Any]:
    """What `featherweight train --json` writes."""
    return {
        **_settings(bench, result.precision),
        "recipe": bench.settings.recipe,
        "parameters": bench.parameters,
        "accuracy": {"dense": asdict(result.accuracy)},
        "epochs": [_epoch(epoch) for epoch in result.epochs],
        "best": result.best,
        "stopped": result.stopped,
    }


def scan_report(bench: Workbench, result: Scan) -> dict[str, Any]:
    """What `featherweight scan --json` writes.

    `seen`, `intervals` and `ties` belong to the accuracies, place by place; an accuracy is null
    where nothing was measured before the scan was stopped. From a sample, the accuracy is the
    sample's, which is not the middle of its interval.
    """
    curves = {"accuracy": "accuracy", "seen": "images", "intervals": "interval", "ties": "ties"}
    layers = {
        key: {name: _each(points, attribute) for name, points in result.layers.items()}
        for key, attribute in curves.items()
    }
    uniform = {key: _each(result.uniform, attribute) for key, attribute in curves.items()}
    return {
        **_settings(bench, result.precision),
        "split": result.split,
        "images": result.images,
        "sparsities": _each(next(iter(result.layers.values()), ()), "sparsity"),
        "layers": layers["accuracy"],
        "seen": layers["seen"],
        "intervals": layers["intervals"],
        "ties": layers["ties"],
        "uniform": {"sparsities": _each(result.uniform, "sparsity"), **uniform}
        if result.uniform
        else None,
        "exact": result.exact,
        "traced": result.traced,
        "stopped": result.stopped,
    }


def _each(points: Sequence[Point], attribute: str) -> list[Any]:
    return [getattr(point, attribute) for point in points]


def _settings(bench: Workbench, precision: str) -> dict[str, Any]:
    settings = bench.settings
    return {
        "model": settings.model,
        "dataset": settings.dataset,
        "protocol": settings.protocol,
        "precision": precision,
        "device": bench.device.type,
        "threads": torch.get_num_threads(),
        "seed": settings.seed,
    }


def _epoch(epoch: Epoch) -> dict[str, Any]:
    """An epoch's row; a loss that is not finite is null, since JSON has no word for it."""
    return {
        "epoch": epoch.epoch,
        "loss": epoch.loss if math.isfinite(epoch.loss) else None,
        "validation": epoch.validation,
        "seconds": epoch.seconds,
        "sparsity": epoch.sparsity,
    }
