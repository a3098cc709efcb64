"""Results as run records, and as the JSON of `featherweight scan`.

Accuracies are in percent, times in seconds, sparsities are fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import torch

from core.criteria.names import MAGNITUDE
from core.events import drain
from core.experiments.run_record import (
    FINETUNE,
    PRUNE,
    TRAIN,
    BaseRecord,
    EpochRecord,
    LayerErrorRecord,
    LayerRecord,
    RecalibrationRecord,
    ReconstructionRecord,
    RunRecord,
    SplitSizes,
    StageAccuracies,
    ValueBytes,
)
from core.measure.recalibration import SAMPLE_SEED, running_norms
from core.nets.footprint import DeadUnits, Footprint
from core.nets.weights import weights_digest
from core.pruning.curves import Point, Scan
from core.reconstruction.measured_net import ReconstructedNet
from core.settings.settings import OF_OWN_NETS
from core.system.typed_json import to_plain
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult, PruningResult
from core.training.recipes import Recipe

if TYPE_CHECKING:
    from core.jobs.net import Net
    from core.jobs.workbench import Workbench


def finetuning_record(
    workbench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    recipe: Recipe,
    precision: str,
    reconstructed: ReconstructedNet | None = None,
) -> RunRecord:
    """The record of a fine-tuning before it begins: settings, plan, base, the reconstructed net.

    Thresholds and kept counts are those of the plan applied to the base in one shot. The base's
    zeros stay, so no sparsity is below its share of zeros.
    """
    record = _pruning_record(workbench, base, plan, precision)
    return replace(
        _with_reconstruction(record, reconstructed),
        kind=FINETUNE,
        choices=workbench.settings.changes,
        finetuning=finetuning_json(recipe, base),
    )


def _pruning_record(
    workbench: Workbench, base: Net, plan: Mapping[str, float], precision: str
) -> RunRecord:
    """What is recorded of a plan for a base, whatever is done to it."""
    what_ifs = [
        profile.what_if(max(plan[profile.layer.name], profile.floor))
        for profile in drain(workbench.profiles(base))
    ]
    layers = tuple(
        LayerRecord(layer.name, layer.elements, what_if.sparsity, what_if.kept, what_if.threshold)
        for layer, what_if in zip(workbench.layers, what_ifs, strict=True)
    )
    return RunRecord(
        **_settings(workbench, precision),
        recipe=workbench.settings.recipe,
        **_statistics(workbench),
        base=BaseRecord(base.run, base.digest, base.trained),
        **_size(_footprint(workbench, (what_if.kept for what_if in what_ifs))),
        layers=layers,
        accuracy=StageAccuracies(
            dense=base.dense or base.accuracy, base=base.accuracy if base.dense else None
        ),
    )


def finetuned_record(
    workbench: Workbench, base: Net, plan: Mapping[str, float], result: FineTuningResult
) -> RunRecord:
    """What `featherweight run --json` writes.

    Thresholds are those of the plan applied to the base in one shot; kept counts and nonzeros are
    those of the fine-tuned net, biases included. Under the reference protocol, validation and test
    are the same number.
    """
    recipe, made = result.recipe, result.reconstructed
    start = finetuning_record(workbench, base, plan, recipe, result.precision, made)
    kept = {layer.name: result.masks.kept(layer) for layer in workbench.layers}
    return replace(
        _with_net(workbench, start, kept, result.dead),
        accuracy=replace(start.accuracy, pruned=result.pruned, finetuned=result.accuracy),
        epochs=tuple(map(EpochRecord.of, result.epochs)),
        best=result.best,
        revived=result.revived,
        stopped=result.stopped,
        error=result.error or None,
        sizes=result.sizes,
    )


def pruning_record(
    workbench: Workbench, base: Net, plan: Mapping[str, float], precision: str
) -> RunRecord:
    """The record of a net that is not trained, before it is pruned or reconstructed."""
    changes = replace(workbench.settings.changes, epochs=None)  # fine-tuning from it has epochs
    record = _pruning_record(workbench, base, plan, precision)
    return replace(record, kind=PRUNE, choices=changes)


def pruned_record(
    workbench: Workbench, base: Net, plan: Mapping[str, float], result: PruningResult
) -> RunRecord:
    """What `featherweight run --epochs 0 --json` writes."""
    start = pruning_record(workbench, base, plan, result.precision)
    start = _with_reconstruction(start, result.reconstructed)
    kept = {
        layer.name: int(result.weights[layer.key].count_nonzero()) for layer in workbench.layers
    }
    return replace(
        _with_net(workbench, start, kept, result.dead),
        accuracy=replace(start.accuracy, pruned=result.accuracy),
        revived=0,
        stopped=result.stopped,
        sizes=result.sizes,
    )


def _with_reconstruction(record: RunRecord, net: ReconstructedNet | None) -> RunRecord:
    """The record with a reconstructed net, if there is one."""
    if net is None:
        return record
    layers = tuple(
        LayerErrorRecord(layer.name, _finite(layer.magnitude), _finite(layer.error), layer.reason)
        for layer in net.layers
    )
    seconds = round(net.seconds, 3)
    made = ReconstructionRecord(net.images, net.seed, net.stopped, seconds, layers)
    accuracy = replace(record.accuracy, reconstructed=net.accuracy)
    return replace(record, reconstruction=made, accuracy=accuracy)


def _finite(error: float | None) -> float | None:
    return error if error is not None and math.isfinite(error) else None


def _with_net(
    workbench: Workbench, record: RunRecord, kept: Mapping[str, int], dead: DeadUnits | None
) -> RunRecord:
    """The record with what the net keeps, biases included, and with its dead units."""
    net = _footprint(workbench, kept.values())
    compact = None if dead is None else net.without(dead)
    return replace(
        record,
        **_size(net),
        layers=tuple(replace(layer, kept=kept[layer.name]) for layer in record.layers),
        dead=None if dead is None else dead.units,
        nonzero_without_dead=None if compact is None else compact.nonzero,
        parameters_without_dead=None if compact is None else compact.parameters,
    )


def training_record(workbench: Workbench, precision: str) -> RunRecord:
    """The record of dense training before it begins."""
    return RunRecord(
        kind=TRAIN,
        **_settings(workbench, precision),
        recipe=workbench.settings.recipe,
        choices=workbench.settings.changes,
        training=workbench.training.values(),
        parameters=workbench.parameters,
    )


def trained_record(workbench: Workbench, result: TrainingResult) -> RunRecord:
    """What `featherweight train --json` writes."""
    return replace(
        training_record(workbench, result.precision),
        **_size(Footprint(workbench.parameters, workbench.parameters)),
        accuracy=StageAccuracies(dense=result.accuracy),
        epochs=tuple(map(EpochRecord.of, result.epochs)),
        best=result.best,
        stopped=result.stopped,
        error=result.error or None,
    )


def scan_report(workbench: Workbench, result: Scan) -> dict[str, Any]:
    """What `featherweight scan --json` writes.

    `seen`, `intervals` and `ties` correspond to the accuracies item by item; an accuracy is null if
    nothing was measured before the scan was stopped. An accuracy on a sample of the images is not
    the middle of its interval.
    """
    names = {"accuracy": "accuracy", "seen": "images", "intervals": "interval", "ties": "ties"}
    layers = {
        key: {name: _each(points, attribute) for name, points in result.layers.items()}
        for key, attribute in names.items()
    }
    columns = {"sparsities": "sparsity", **names}
    uniform = {key: _each(result.uniform, attribute) for key, attribute in columns.items()}
    sample = workbench.scan_sample
    return {
        **to_plain({**_settings(workbench, result.precision), **_statistics(workbench)}),
        "criterion": workbench.finetuning.criterion,
        "split": result.split,
        "images": result.images,
        "repair": result.repair,
        **({} if sample is None else {"reconstruction": {"images": sample, "seed": SAMPLE_SEED}}),
        "sparsities": _each(next(iter(result.layers.values()), ()), "sparsity"),
        "layers": layers.pop("accuracy"),
        **layers,
        "uniform": uniform if result.uniform else None,
        "exact": result.exact,
        "traced": result.traced,
        "stopped": result.stopped,
    }


def _each(points: Sequence[Point], attribute: str) -> list[Any]:
    return [getattr(point, attribute) for point in points]


def _settings(workbench: Workbench, precision: str) -> dict[str, Any]:
    settings, device = workbench.settings, workbench.models.device.type
    names = ("model", "dataset", "inputs", "protocol")
    given = [name for name in OF_OWN_NETS if getattr(settings, name)]
    return {
        **{name: getattr(settings, name) for name in (*names, *given)},
        "split_sizes": SplitSizes(*workbench.split_sizes) if workbench.split_sizes else None,
        "precision": precision,
        "device": device,
        "threads": torch.get_num_threads(),
        "seed": settings.seed,
    }


def _statistics(workbench: Workbench) -> dict[str, Any]:
    """Whether and from what the running statistics of a pruned net are computed; if it has any."""
    if not running_norms(workbench.models.outline):
        return {}
    settings, done = workbench.settings, workbench.recalibration
    record = done and RecalibrationRecord(done.layers, done.images, done.seed)
    return {"recalibrate": settings.recalibrate, "recalibration": record}


def _footprint(workbench: Workbench, kept: Iterable[int]) -> Footprint:
    """The footprint of the net with these numbers of weights kept per layer."""
    pruned = sum(layer.elements for layer in workbench.layers) - sum(kept)
    return Footprint(workbench.parameters, workbench.parameters - pruned)


def _size(net: Footprint) -> dict[str, Any]:
    return {
        "parameters": net.parameters,
        "nonzero": net.nonzero,
        "ratio": round(net.ratio, 2) if net.nonzero else None,
        "bytes": ValueBytes(net.dense_bytes, net.pruned_bytes),
    }


def finetuning_json(recipe: Recipe, base: Net) -> dict[str, Any]:
    """All hyperparameters of a fine-tuning of `base`, and the digest of the net it distills from.

    Two runs alike but for the dense net that their base was pruned from are not the same.
    """
    values = _recipe_json(recipe)
    if recipe.distill:
        dense = base.dense_weights
        values["teacher"] = base.digest if dense is None else weights_digest(dense)
    return values


def _recipe_json(recipe: Recipe) -> dict[str, Any]:
    """All hyperparameters of a fine-tuning; the criterion only if it is not magnitude.

    Runs by magnitude are then those of versions that knew no other.
    """
    values = asdict(recipe)
    if recipe.criterion == MAGNITUDE:
        del values["criterion"]
    for phase in ("dense", "finetune"):
        del values[phase]
    for name in ("reconstruct", "distill"):  # as in runs of versions that did not know them
        if not values[name]:
            del values[name]
    return {**values, **recipe.finetune.values()}
