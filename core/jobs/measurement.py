"""Jobs without training: prune, reconstruct, scan, sample, compare, count, benchmark.

They read weights in place, or build a model for as long as they run.
"""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.data.batches import CPU, Images
from core.errors import ENDING
from core.events import (
    Event,
    Notice,
    Progress,
    StopFlag,
    Stream,
    drain,
    never,
    portions,
    relayed,
    within,
)
from core.graph.dead_units import count_dead_units
from core.inference.benchmark import run_benchmark
from core.inference.benchmark_result import SECONDS, Benchmark
from core.inference.saved_times import load_times, save_times, times_of
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.measure import comparison, sensitivity_scan
from core.measure.activity import ImageNumber, measure_activity
from core.measure.comparison import Mode, NetComparison
from core.measure.costs import (
    ActivityMeasured,
    CostTable,
    NetActivity,
    cost_table,
    multiplication_costs,
)
from core.measure.evaluation import sample_accuracy
from core.measure.recalibration import prune_into, running_norms, set_statistics, statistics
from core.nets.footprint import DeadUnits
from core.nets.weights import Weights, copy_weights, load_into, state_dict, weights_digest
from core.pruning.budgets.costs import CostsKnown, NetCosts, Unit, parameter_costs
from core.pruning.curves import (
    RECONSTRUCTED_SPARSITIES,
    SPARSITIES,
    SPLITS,
    Sample,
    Scan,
    check_split,
)
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from core.reconstruction.measured_net import ReconstructedNet, reconstruct_and_measure
from core.reconstruction.scanned.layers_alone import LayersAlone
from core.reconstruction.tasks import LayerReconstructed, layer_notice
from core.system.error_text import counted
from core.training.finetuning import PruningResult, prune_and_measure

KEPT = 4
"""Plans whose statistics are kept."""

T = TypeVar("T")

FEW = 100
"""Images below which the accuracies of a scan are too coarse to rank layers by."""


def prune(
    workbench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[PruningResult]:
    """Prune `base` to `plan` in one shot, measure the result and count its dead units."""
    data, precision = yield from workbench.prepared(stop)
    model = workbench.models.uninitialized()
    measuring, counting = portions(0.95, 0.05)
    yield from workbench.note_statistics()
    ranking = yield from workbench.ranking(base.weights, base.digest, stop)
    recalibrates = workbench.settings.recalibrates
    stream = prune_and_measure(
        model, base.weights, plan, data, stop, precision, recalibrates, ranking.weights
    )
    accuracy = yield from within(measuring, stream)
    yield counting
    dead = yield from count_dead_units(model, data.validation)
    return PruningResult(copy_weights(model), accuracy, dead, precision)


def reconstruct(
    workbench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[ReconstructedNet]:
    """Prune `base` to `plan` so that each layer's output is kept; measure it, count dead units.

    `LayerReconstructed` reports each layer, followed by a notice in words. A raised stop flag keeps
    the layers done; see `core.reconstruction.measured_net`.
    """
    data, precision = yield from workbench.prepared(stop)
    model, dense = (workbench.models.uninitialized() for _ in range(2))
    solving, counting = portions(0.99, 0.01)
    yield from workbench.note_statistics()
    recalibrates = workbench.settings.recalibrates
    stream = reconstruct_and_measure(
        model, dense, base.weights, plan, data, stop, precision, recalibrates
    )
    result = yield from within(solving, _in_words(stream))
    yield counting
    return replace(result, dead=(yield from count_dead_units(model, data.validation)))


def _in_words(stream: Stream[T]) -> Stream[T]:
    """Follow the report of each layer by a notice, which screens and logs show."""

    def followed(event: Event) -> Iterator[Event]:
        yield event
        if isinstance(event, LayerReconstructed):
            yield layer_notice(event)

    return relayed(stream, followed)


def scan(
    workbench: Workbench,
    weights: Weights,
    split: str = SPLITS[0],
    sparsities: Sequence[float] | None = None,
    uniform: Sequence[float] = (),
    within: float | None = None,
    stop: StopFlag = never,
    layers: Collection[str] | None = None,
) -> Stream[Scan]:
    """Scan how sensitive a net is to pruning each layer; see `sensitivity_scan.scan`.

    `sparsities` are those of `scan_sparsities` unless given. Raises InputError if the split is
    unknown, and as `sensitivity_scan.scan` does.
    """
    images = yield from _split(workbench, split, stop)
    if len(images) < FEW:
        few = counted(len(images), f"{split} image")
        text = f"{few} cannot rank the layers: one image is {100 / len(images):.1f} points"
        yield Notice(f"{text}, so small differences in this scan may be chance", warning=True)
    data, precision = yield from workbench.prepared(stop)
    yield from workbench.note_statistics()
    ranking = yield from workbench.ranking(weights, weights_digest(weights), stop)
    yield Progress("preparing the scan")
    model = workbench.models.for_inference(weights)
    reconstructs = workbench.settings.reconstructs_scans
    stream = sensitivity_scan.scan(
        model,
        images,
        split=split,
        sparsities=scan_sparsities(workbench) if sparsities is None else sparsities,
        uniform=uniform,
        within=within,
        seed=workbench.settings.seed,
        precision=precision,
        train=data.train if workbench.settings.recalibrates else None,
        ranked=ranking.weights,
        repair=LayersAlone(model, data.train, stop=stop) if reconstructs else None,
        layers=layers,
        stop=stop,
    )
    return (yield from stream)


def scan_sparsities(workbench: Workbench) -> Sequence[float]:
    """The usual sparsities of a layer, for the repair in force."""
    return RECONSTRUCTED_SPARSITIES if workbench.settings.reconstructs_scans else SPARSITIES


def pruned_net(
    workbench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[nn.Module]:
    """A model of `base` pruned to `plan` in one shot, recalibrated as `prune` does.

    May run beside a job. The workbench keeps the statistics of the last plans, since several
    measurements of a plan follow each other.
    """
    data, recalibrates = (yield from workbench.splits(stop)), workbench.settings.recalibrates
    model, kept = workbench.models.uninitialized(), workbench.statistics
    ranking = yield from workbench.ranking(base.weights, base.digest, stop)
    key = base.digest, tuple(sorted(plan.items())), recalibrates, workbench.data_name
    yield from prune_into(
        model,
        base.weights,
        plan,
        data.train,
        ranked=ranking.weights,
        recalibrates=recalibrates and key not in kept,
        stop=stop,
    )
    if norms := running_norms(model):
        if key in kept:
            set_statistics(norms, kept[key])
        rest = [item for item in kept.items() if item[0] != key]
        workbench.statistics = dict([*rest[1 - KEPT :], (key, statistics(norms))])
    return model


def sample(
    workbench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[Sample]:
    """Prune `base` to `plan` in one shot and measure it on a growing sample of validation.

    May run beside a job. The order of images depends on the plan, so that the sampling errors of
    different plans are independent.
    """
    data, precision = yield from workbench.prepared(stop)
    seed = zlib.crc32(repr(sorted(plan.items())).encode()) + workbench.settings.seed
    model, images = (yield from pruned_net(workbench, base, plan, stop)), data.validation
    return (yield from sample_accuracy(model, images, seed=seed, precision=precision, stop=stop))


def compare(
    workbench: Workbench,
    dense: Net,
    base: Net,
    plan: Mapping[str, float],
    mode: Mode,
    start: int,
    matrix: bool = False,
    stop: StopFlag = never,
) -> Stream[NetComparison]:
    """Compare the predictions of `dense` and of `base` pruned to `plan` on test images.

    May run beside a job. See `comparison.compare`.
    """
    data, precision = yield from workbench.prepared(stop)
    pruned = yield from pruned_net(workbench, base, plan, stop)
    digest = weights_digest(state_dict(pruned))
    dense_model = workbench.models.for_inference(dense.weights)
    result = yield from comparison.compare(
        dense_model,
        dense_model if digest == dense.digest else pruned,
        data.test,
        mode=mode,
        start=start,
        matrix=matrix,
        dense_predictions=workbench.predictions.get(dense.digest),
        pruned_predictions=workbench.predictions.get(digest),
        precision=precision,
        stop=stop,
    )
    if (counts := result.counts) is not None:
        workbench.predictions = {
            dense.digest: counts.dense_predictions,
            digest: counts.pruned_predictions,
        }
    return result


def activity(
    workbench: Workbench,
    weights: Weights,
    split: str = SPLITS[1],
    images: ImageNumber = None,
    stop: StopFlag = never,
) -> Stream[NetActivity]:
    """Measure what each layer of a net does on a split; see `core.measure.activity`.

    Raises InputError if the split is unknown.
    """
    data = yield from _split(workbench, split, stop)
    net, seed = workbench.models.for_inference(weights), workbench.settings.seed
    return (yield from measure_activity(net, data, stop, images=images, seed=seed))


def dead_units(
    workbench: Workbench, weights: Weights, stop: StopFlag = never
) -> Stream[DeadUnits | None]:
    """Count the dead units of a net; None if it cannot be traced."""
    images = yield from _split(workbench, SPLITS[0], stop)
    model = workbench.models.uninitialized()
    load_into(model, weights)
    return (yield from count_dead_units(model, images))


def costs(
    workbench: Workbench,
    weights: Weights,
    split: str,
    images: ImageNumber = None,
    stop: StopFlag = never,
) -> Stream[CostTable]:
    """Measure what a net costs on `images` of a split; see `core.measure.costs`.

    Raises InputError if the split is unknown.
    """
    does = yield from activity(workbench, weights, split, images, stop)
    nonzero = {layer.name: int(weights[layer.key].count_nonzero()) for layer in workbench.layers}
    dead = yield from dead_units(workbench, weights, stop)
    model, layers = workbench.settings.model, workbench.layers
    return replace(cost_table(model, layers, nonzero, does, workbench.parameters), dead=dead)


def costs_in(
    workbench: Workbench, weights: Weights, unit: Unit, stop: StopFlag = never
) -> Stream[NetCosts]:
    """What the layers of a net cost by the weights they keep; worked out once by the workbench."""
    if unit == "parameters":
        return parameter_costs(workbench.layers, workbench.parameters)
    known = workbench.models.costs
    if unit not in known:
        count = _multiplications if unit == "macs" else _times
        known[unit] = yield from count(workbench, weights, stop)
    return known[unit]


def known_costs(workbench: Workbench, weights: Weights, stop: StopFlag = never) -> Stream[None]:
    """Send what is quickly known of a net's costs; a net that cannot be counted is left out."""
    try:
        macs = drain(costs_in(workbench, weights, "macs", stop))
    except ENDING:
        raise
    except BaseException:  # a net's own code may not run among the counts; goals say why
        return
    yield CostsKnown(macs)
    image, _ = (yield from _split(workbench, SPLITS[0], stop)).batch(slice(0, 1))
    if times := load_times(_times_of(workbench, image), workbench.layers):
        yield CostsKnown(times)


def _multiplications(workbench: Workbench, weights: Weights, stop: StopFlag) -> Stream[NetCosts]:
    """Count the multiplications of a net on two images."""
    images = yield from _split(workbench, SPLITS[0], stop)
    few = replace(images, images=images.images[:2], labels=images.labels[:2])
    net = workbench.models.for_inference(weights)
    does = yield from measure_activity(net, few, stop, images="all")
    if does.uncounted:
        text = f"multiplications leave out what cannot be counted: {', '.join(does.uncounted)}"
        yield Notice(text, warning=True)
    return multiplication_costs(workbench.layers, does)


def _times(workbench: Workbench, weights: Weights, stop: StopFlag) -> Stream[NetCosts]:
    """The times of a net's layers on this machine, measured unless they are stored."""
    from core.inference.sparse.layer_times import time_layers  # late: loads numba

    images = (yield from _split(workbench, SPLITS[0], stop)).on(CPU)
    image, layers = images.batch(slice(0, 1))[0].contiguous(), workbench.layers
    what = _times_of(workbench, image)
    if (stored := load_times(what, layers)) is not None:
        return stored

    def pruned(sparsity: float) -> nn.Module:
        plan = uniform_plan(sparsity, workbench.layer_names)
        masked = Masks.of(weights, layers, plan).apply(weights)
        model = workbench.models.for_inference(masked).to(CPU)
        return model.to(memory_format=torch.contiguous_format)

    costs = yield from time_layers(pruned, layers, image, torch.get_num_threads(), stop=stop)
    yield from save_times(what, costs)
    return costs


def _times_of(workbench: Workbench, image: Tensor) -> str:
    name, shape = workbench.settings.short_name, image.shape[1:]
    return times_of(workbench.models.outline, name, shape, torch.get_num_threads())


def count_activity(
    workbench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[ActivityMeasured]:
    """Measure the activity of `base` pruned to `plan` on validation; may run beside a job."""
    images = yield from _split(workbench, SPLITS[0], stop)
    model = yield from pruned_net(workbench, base, plan, stop)
    measured = yield from measure_activity(model, images, stop, seed=workbench.settings.seed)
    event = ActivityMeasured(measured, SPLITS[0])
    yield event
    return event


def benchmark(
    workbench: Workbench, weights: Weights, seconds: float = SECONDS, stop: StopFlag = never
) -> Stream[Benchmark]:
    """Benchmark a net on test images in every installed engine."""
    data = yield from _split(workbench, SPLITS[1], stop)
    model = workbench.models.for_inference(weights).to(CPU)
    model = model.to(memory_format=torch.contiguous_format)
    return (yield from run_benchmark(model, data.on(CPU), seconds=seconds, stop=stop))


def _split(workbench: Workbench, name: str, stop: StopFlag) -> Stream[Images]:
    check_split(name)
    data = yield from workbench.splits(stop)
    return data.validation if name == SPLITS[0] else data.test
