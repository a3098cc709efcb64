"""A result as JSON: the keys of `featherweight run`, `train` and `scan`.

Accuracies are in percent, times in seconds, sparsities are fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from core.events import Epoch
from core.formats.sizes import sizes_facts
from core.nets.footprint import Footprint, dead_facts
from core.pruning.curves import Point, Scan
from core.training.dense import Trained
from core.training.finetuning import FineTuned
from core.training.recipes import Recipe

if TYPE_CHECKING:
    from core.jobs.search import Found, Trial
    from core.jobs.workbench import Net, Workbench


def run_facts(
    bench: Workbench, base: Net, plan: Mapping[str, float], recipe: Recipe, precision: str
) -> dict[str, Any]:
    """What is known of a fine-tuning before it begins: the settings, the plan, the base.

    A layer's threshold and its kept count are those of the plan applied to the base in one shot.
    """
    cuts = [p.cut(plan[p.layer.name]) for p in base.profiles]
    rows = list(zip(bench.layers, cuts, strict=True))
    pruned_away = sum(layer.elements - cut.kept for layer, cut in rows)
    accuracy = {"dense": asdict(base.dense or base.accuracy)}
    if base.dense is not None:
        accuracy["base"] = asdict(base.accuracy)
    return {
        "kind": "finetune",
        **_settings(bench, precision),
        "recipe": bench.settings.recipe,
        "choices": bench.settings.choices.given(),
        "finetuning": recipe_facts(recipe),
        "base": {"run": base.run, "weights": base.digest, "trained": base.trained},
        **_size(bench.parameters, bench.parameters - pruned_away),
        "layers": [
            {
                "name": layer.name,
                "elements": layer.elements,
                "sparsity": plan[layer.name],
                "kept": cut.kept,
                "threshold": cut.threshold,
            }
            for layer, cut in rows
        ],
        "accuracy": accuracy,
        "epochs": [],
    }


def run_report(
    bench: Workbench, base: Net, plan: Mapping[str, float], result: FineTuned
) -> dict[str, Any]:
    """What `featherweight run --json` writes.

    A layer's threshold is that of the plan applied to the base in one shot; its kept count and the
    nonzeros in all are those of the fine-tuned net, every bias counted. `dead` are the units of
    each layer that could be removed without changing any logit, see `dead_units`, and apart from
    `nonzero` it is told how many parameters are left without them, and how many a smaller dense
    net has; null where the net cannot be followed. `best` is the epoch that is kept, null where
    none ended at the full plan; under the reference protocol validation and test are the same
    number. `sizes` are bytes, see `core.formats.sizes`; `quantised` is for what writes such a file.
    """
    facts = run_facts(bench, base, plan, result.recipe, result.precision)
    kept = {layer.name: result.masks.kept(layer) for layer in bench.layers}
    pruned_away = sum(layer.elements - kept[layer.name] for layer in bench.layers)
    whole = Footprint(bench.parameters, bench.parameters - pruned_away)
    measured = {"pruned": asdict(result.pruned), "finetuned": asdict(result.accuracy)}
    return {
        **facts,
        **_size(whole.parameters, whole.nonzero),
        **dead_facts(whole, result.dead),
        "layers": [{**row, "kept": kept[row["name"]]} for row in facts["layers"]],
        "accuracy": {**facts["accuracy"], **measured},
        "epochs": epoch_rows(result.epochs),
        "best": result.best,
        "revived": result.revived,
        "stopped": result.stopped,
        "sizes": sizes_facts(result.sizes),
    }


def search_report(bench: Workbench, found: Found) -> dict[str, Any]:
    """What `featherweight search --json` writes: every trial as a run, and the best of them."""

    def report(trial: Trial) -> dict[str, Any]:
        said = {"asked": trial.asked, "good": trial.good, "run": trial.result.run}
        return {**run_report(bench, trial.base, trial.plan, trial.result), **said}

    return {
        "best": None if found.best is None else report(found.best),
        "trials": [report(trial) for trial in found.trials],
        "least": found.least,
        "stopped": found.stopped,
    }


def train_facts(bench: Workbench, precision: str) -> dict[str, Any]:
    """What is known of a dense training before it begins."""
    return {
        "kind": "train",
        **_settings(bench, precision),
        "recipe": bench.settings.recipe,
        "choices": bench.settings.choices.given(),
        "training": asdict(bench.training),
        "parameters": bench.parameters,
        "epochs": [],
    }


def train_report(bench: Workbench, result: Trained) -> dict[str, Any]:
    """What `featherweight train --json` writes."""
    return {
        **train_facts(bench, result.precision),
        **_size(bench.parameters, bench.parameters),
        "accuracy": {"dense": asdict(result.accuracy)},
        "epochs": epoch_rows(result.epochs),
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
        "inputs": settings.inputs.given(),
        "protocol": settings.protocol,
        "precision": precision,
        "device": bench.models.device.type,
        "threads": torch.get_num_threads(),
        "seed": settings.seed,
    }


def epoch_rows(epochs: Iterable[Epoch]) -> list[dict[str, Any]]:
    """The epochs of a training, as far as it is."""
    return [_epoch(epoch) for epoch in epochs]


def _size(parameters: int, nonzero: int) -> dict[str, Any]:
    footprint = Footprint(parameters, nonzero)
    return {
        "parameters": parameters,
        "nonzero": nonzero,
        "ratio": round(footprint.ratio, 2) if nonzero else None,
        "bytes": {"dense": footprint.dense_bytes, "pruned": footprint.pruned_bytes},
    }


def recipe_facts(recipe: Recipe) -> dict[str, Any]:
    """The recipe of a fine-tuning with all its hyper-parameters."""
    facts = asdict(recipe)
    del facts["dense"]
    return {**facts, **facts.pop("finetune")}


def _epoch(epoch: Epoch) -> dict[str, Any]:
    """An epoch's row; a loss that is not finite is null, since JSON has no word for it."""
    return {
        "epoch": epoch.epoch,
        "loss": epoch.loss if math.isfinite(epoch.loss) else None,
        "validation": epoch.validation,
        "seconds": epoch.seconds,
        "sparsity": epoch.sparsity,
        "final": epoch.final,
    }
