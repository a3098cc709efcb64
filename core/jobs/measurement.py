"""What is asked of a net on the workbench: pruned, scanned, sampled, compared, counted, timed.

These are jobs as those of `workbench`, but no net comes of them: they read one where it is, or
have a model of their own for as long as they run.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from core.data.batches import CPU, Images
from core.errors import InputError
from core.events import StopFlag, Stream, never
from core.graph.dead_units import count_dead_units
from core.inference.benchmark import race
from core.inference.timings import SECONDS, Bench
from core.jobs.workbench import Net, Workbench
from core.measure import comparison, sensitivity
from core.measure.activity import bring_in, measure_activity
from core.measure.comparison import Compared, Mode
from core.measure.costs import Activity, CostTable, Counted, cost_table
from core.measure.sampling import sample_accuracy
from core.nets.digest import weights_digest
from core.nets.footprint import DeadUnits
from core.nets.weights import Weights
from core.pruning.curves import SPARSITIES, SPLITS, Sample, Scan
from core.training.finetuning import Pruned, prune_and_measure


def prune(
    bench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[Pruned]:
    """Apply `plan` to `base` in one shot, measure it, and count its dead units."""
    data = yield from bench.splits(stop)
    precision = yield from bench.precision(data)
    model = bench.models.vehicle()
    accuracy = yield from prune_and_measure(model, base.weights, plan, data, stop, precision)
    return Pruned(accuracy, (yield from count_dead_units(model, data.validation)))


def scan(
    bench: Workbench,
    weights: Weights,
    split: str = SPLITS[0],
    sparsities: Sequence[float] = SPARSITIES,
    uniform: Sequence[float] = (),
    within: float | None = None,
    stop: StopFlag = never,
) -> Stream[Scan]:
    """How sensitive a net is to pruning each layer; see `sensitivity.scan`.

    Raises:
        InputError: there is no such split, or `sensitivity.scan` raises it.
    """
    images = yield from _split(bench, split, stop)
    precision = yield from bench.resolved_precision(stop)
    return (
        yield from sensitivity.scan(
            bench.models.reading(weights),
            images,
            split=split,
            sparsities=sparsities,
            uniform=uniform,
            within=within,
            seed=bench.settings.seed,
            precision=precision,
            stop=stop,
        )
    )


def look(
    bench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[Sample]:
    """Apply `plan` to `base` in one shot and measure it on a growing sample of validation.

    It may run beside a job: it has a model of its own. The order of the images depends on the
    plan, so that plans err independently of each other.
    """
    data = yield from bench.splits(stop)
    precision = yield from bench.precision(data)
    order = zlib.crc32(repr(sorted(plan.items())).encode()) + bench.settings.seed
    return (
        yield from sample_accuracy(
            bench.models.pruned(base.weights, plan),
            data.validation,
            seed=order,
            precision=precision,
            stop=stop,
        )
    )


def compare(
    bench: Workbench,
    dense: Net,
    base: Net,
    plan: Mapping[str, float],
    mode: Mode,
    start: int,
    matrix: bool = False,
    stop: StopFlag = never,
) -> Stream[Compared]:
    """What `dense` and `plan` applied to `base` say of test images; see `answers.compare`.

    It may run beside a job, as `look` does.
    """
    data = yield from bench.splits(stop)
    precision = yield from bench.precision(data)
    pruned = bench.models.pruned(base.weights, plan)
    digest = weights_digest(pruned.state_dict())
    compared = yield from comparison.compare(
        bench.models.reading(dense.weights),
        pruned,
        data.test,
        mode=mode,
        start=start,
        matrix=matrix,
        dense_answers=bench.answers.get(dense.digest),
        pruned_answers=bench.answers.get(digest),
        precision=precision,
        stop=stop,
    )
    if (counted := compared.counted) is not None:
        bench.answers = {dense.digest: counted.dense_answers, digest: counted.pruned_answers}
    return compared


def activity(
    bench: Workbench, weights: Weights, split: str = SPLITS[1], stop: StopFlag = never
) -> Stream[dict[str, Activity]]:
    """What each layer of a net does, on the images of a split; see `core.measure.activity`.

    Raises:
        InputError: there is no such split.
    """
    data = yield from _split(bench, split, stop)
    bring_in()
    return (yield from measure_activity(bench.models.reading(weights), data, stop))


def dead(bench: Workbench, weights: Weights, stop: StopFlag = never) -> Stream[DeadUnits | None]:
    """The dead units of a net; None where it cannot be followed, see `core.graph.dead_units`."""
    images = yield from _split(bench, SPLITS[0], stop)
    model = bench.models.vehicle()
    model.load_state_dict(weights)
    return (yield from count_dead_units(model, images))


def table(
    bench: Workbench, weights: Weights, split: str, stop: StopFlag = never
) -> Stream[CostTable]:
    """What a net costs, measured on the images of a split; see `core.measure.costs`.

    Raises:
        InputError: there is no such split.
        StoppedError: `stop` was raised.
    """
    activities = yield from activity(bench, weights, split, stop)
    kept = {layer.name: int(weights[layer.key].count_nonzero()) for layer in bench.layers}
    found = yield from dead(bench, weights, stop)
    costs = cost_table(bench.settings.model, bench.layers, kept, activities, bench.parameters)
    return replace(costs, dead=found)


def count(
    bench: Workbench, base: Net, plan: Mapping[str, float], stop: StopFlag = never
) -> Stream[Counted]:
    """Count what the layers of `plan` applied to `base` do, on validation, and tell it.

    It may run beside a job, as `look` does.
    """
    split = SPLITS[0]
    images = yield from _split(bench, split, stop)
    bring_in()
    activities = yield from measure_activity(bench.models.pruned(base.weights, plan), images, stop)
    counted = Counted(activities, split, len(images))
    yield counted
    return counted


def time(
    bench: Workbench, weights: Weights, seconds: float = SECONDS, stop: StopFlag = never
) -> Stream[Bench]:
    """How fast a net is on test images, in every engine that is there."""
    data = yield from _split(bench, SPLITS[1], stop)
    model = bench.models.reading(weights).to(CPU).to(memory_format=torch.contiguous_format)
    return (yield from race(model, data.on(CPU), seconds=seconds, stop=stop))


def _split(bench: Workbench, name: str, stop: StopFlag) -> Stream[Images]:
    if name not in SPLITS:
        raise InputError(f"unknown split '{name}': expected one of {', '.join(SPLITS)}")
    data = yield from bench.splits(stop)
    return data.validation if name == SPLITS[0] else data.test
