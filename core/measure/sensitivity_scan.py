"""The sensitivity scan: how accuracy falls when one layer alone is pruned (Han et al. 2015, §5).

All points advance together, a few hundred images at a time. The net runs once for these images, and
the part from a layer on runs once per sparsity. Nothing before a layer is computed twice, memory
holds one batch, and a scan that is stopped has every curve, on fewer images.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from functools import partial
from itertools import chain

import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.errors import InputError, StoppedError
from core.events import Notice, Progress, StopFlag, Stream, never
from core.graph.prefix_cache import NoPrefixCache, PrefixCache, Values
from core.graph.tracing import UntraceableError
from core.measure.coarse_filter import FIRST_CHECKS, CoarseFilter
from core.measure.int8_convolutions import Int8Convolutions, is_fast_here, is_faster
from core.measure.points.preparation import Group, LayerRepair, Preparation
from core.measure.points.statistics import PointStatistics, is_followed
from core.measure.recalibration import (
    SAMPLE_IMAGES,
    SAMPLE_SEED,
    Statistics,
    running_norms,
    sample_batches,
    set_statistics,
    statistics,
)
from core.nets.calls import EVALUATION, NetCall, evaluation_mode
from core.nets.layers import Layer, bias_key, prunable_layers
from core.nets.weights import Weights
from core.pruning.curves import SPARSITIES, Point, PointScanned, Scan, ScanUpdated
from core.pruning.plans import check_sparsity
from core.pruning.thresholds import pruned_by, threshold

UNIFORM = "*"
"""The group of all layers; no module has this name."""

MOST_IMAGES, SAMPLE_STEP = 1000, 250
MOST_BYTES = 512 << 20
"""Memory for the values in the prefix cache; large nets take fewer images at a time."""


QUICK_SAMPLE = 250
"""Images that a quick scan recalibrates a point on: it measures points on few more."""


@dataclass(eq=False)
class _OpenPoint:
    """A point while it is measured; `arithmetic` is what the filter tries first."""

    sparsity: float
    thresholds: dict[str, float]
    arithmetic: str
    correct: int = 0
    images: int = 0
    coarse_filter: CoarseFilter = field(default_factory=CoarseFilter)
    statistics: Statistics | None = None

    def result(self) -> Point:
        return Point(self.sparsity, self.correct, self.images, self.coarse_filter.ties)


def scan(
    model: nn.Module,
    data: Images,
    *,
    split: str,
    sparsities: Sequence[float] = SPARSITIES,
    uniform: Sequence[float] = (),
    within: float | None = None,
    seed: int = 0,
    precision: str = "fp32",
    train: Images | None = None,
    ranked: Weights | None = None,
    repair: LayerRepair | None = None,
    layers: Collection[str] | None = None,
    stop: StopFlag = never,
) -> Stream[Scan]:
    """Measure the accuracy of `model` with each layer alone pruned to each of `sparsities`.

    Counts are those of pruning one layer and evaluating in float32, in any precision; see
    `core.measure.coarse_filter`. When `stop` is raised, the scan ends within one point and returns
    what it has. `model` keeps its own weights.

    Args:
        model: the net, on the device of `data`.
        data: the images, taken in an order drawn from `seed`.
        split: the name of the split.
        sparsities: for each layer alone.
        uniform: for all layers at once; may be empty.
        within: points of accuracy. If given, each point is measured on a growing sample until half
            the width of its confidence interval is at most this.
        seed: of the order of images.
        precision: `bf16`, or `fp32`, for which int8 may do most of the work.
        train: the training images. If given, every point has running statistics of its own, see
            `core.measure.recalibration`; also one that prunes nothing.
        ranked: decides which weights go, see `core.criteria.ranking`; None: their magnitudes.
        repair: repairs every pruned layer alone, before its statistics are computed, such as
            `core.reconstruction.scanned.layers_alone.LayersAlone`. The points of all layers
            combine what was made of each.
        layers: the names of those to scan alone; None for all. Their points are the same as in a
            scan of all.
        stop: checked before every point.

    Raises InputError if a sparsity is not in [0, 1], or `within` is not above 0.
    """
    if within is not None and not within > 0:
        raise InputError(f"intervals within ±{within} points: expected a number above 0")
    recalibrates = train is not None
    scanner = _Scanner(
        model, data, split, sparsities, uniform, within, precision, recalibrates, ranked, layers
    )
    scanner.prepare(train, repair, stop)
    if scanner.untraceable:
        text = f"slow scan: the whole net runs for every point ({scanner.untraceable})"
        yield Notice(text, warning=True)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    before = statistics(scanner.norms)
    try:
        yield from scanner.preparation.start()
        yield from scanner.sweep(order, stop)
        if scanner.reopen_unsound():
            yield from scanner.sweep(order, stop)
    except StoppedError:
        scanner.stopped = True
    finally:
        set_statistics(scanner.norms, before)
    return scanner.result()


@dataclass(eq=False)
class _Scanner:
    """The points of a scan, and the net they are measured with."""

    model: nn.Module
    data: Images
    split: str
    sparsities: InitVar[Sequence[float]]
    uniform: InitVar[Sequence[float]]
    within: float | None
    precision: str
    recalibrates: InitVar[bool] = False
    ranked: Weights | None = None
    only: Collection[str] | None = None
    stopped: bool = False

    def __post_init__(
        self, sparsities: Sequence[float], uniform: Sequence[float], recalibrates: bool
    ) -> None:
        self.norms = running_norms(self.model) if recalibrates else {}
        self.statistics: PointStatistics | None = None
        layers = prunable_layers(evaluation_mode(self.model))
        keys = [layer.key for layer in layers]
        self.base: Weights = {key: self.model.get_parameter(key).detach() for key in keys}
        ranked = self.base if self.ranked is None else self.ranked
        self.order: Weights = {key: ranked[key].to(self.base[key].device) for key in keys}
        self.arithmetic = self._fastest()
        self.groups: dict[str, tuple[Layer, ...]] = {layer.name: (layer,) for layer in layers}
        self.points = {
            layer.name: self._points([layer], sparsities if self._is_scanned(layer.name) else ())
            for layer in layers
        }
        if uniform:
            self.groups[UNIFORM] = layers
            self.points[UNIFORM] = self._points(layers, uniform)
        some, _ = self.data.batch(slice(0, 3))
        names = {name for name, _ in self.model.named_parameters(remove_duplicate=False)}
        groups = {
            name: [
                key for layer in group for key in (layer.key, bias_key(layer.key)) if key in names
            ]
            for name, group in self.groups.items()
        }
        try:
            self.net, self.untraceable = PrefixCache(self.model, groups, some), ""
            if not is_followed(self.net, self.model, self.norms):
                raise UntraceableError("torch.fx cannot follow the statistics of its layers")
        except UntraceableError as error:
            self.net, self.untraceable = NoPrefixCache(self.model, groups, some), str(error)

    def prepare(self, train: Images | None, repair: LayerRepair | None, stop: StopFlag) -> None:
        """Say what is done to the points of each group before they are measured."""
        if train is not None and self.norms:
            most = SAMPLE_IMAGES if self.within is None else QUICK_SAMPLE
            batches = sample_batches(train, SAMPLE_SEED, most)
            self.statistics = PointStatistics(
                self.model, self.net, self.norms, train, batches, stop
            )
        combined = repair is not None and UNIFORM in self.points
        needed = [name for name, points in self.points.items() if points or combined]
        groups = {name: self._group(name) for name in needed}
        images = len(self.data)
        self.preparation = Preparation(groups, repair, self.statistics, images)

    def _group(self, name: str) -> Group:
        points, (layer, *_) = self.points[name], self.groups[name]
        at = chain(points, self.points.get(UNIFORM, ()))
        return Group(
            None if name == UNIFORM else layer,
            sorted({point.sparsity for point in at}),
            [partial(self._pruned, name, point) for point in points],
            len(points) * max(1, len(self.base) - list(self.groups).index(name)),
        )

    def _prepare(self, name: str) -> Stream[None]:
        """Repair the points of a group, and compute their statistics."""
        self._set_dense_statistics()
        found = yield from self.preparation.of(name, self._group(name))
        for point, values in zip(self.points[name], found, strict=True):
            point.statistics = values

    def _set_dense_statistics(self) -> None:
        if self.statistics is not None:
            set_statistics(self.norms, self.statistics.dense)

    def sweep(self, order: Tensor, stop: StopFlag) -> Stream[None]:
        """Measure the open points on more and more images until none is open."""
        most = MOST_IMAGES if self.within is None else SAMPLE_STEP
        step = max(1, min(most, MOST_BYTES // (1 + self.net.bytes_per_image)))
        for index in torch.split(order, step):
            if not any(map(self._is_open, self._all_points())):
                return
            yield from self._advance(index, stop)
            yield ScanUpdated(self.result())
            if self.stopped:
                return

    def reopen_unsound(self) -> bool:
        """Restart in float32 the points whose bf16 predictions proved unsound."""
        unsound = [point for point in self._all_points() if not point.coarse_filter.sound]
        for point in unsound:
            point.correct = point.images = 0
            point.coarse_filter, point.arithmetic = CoarseFilter(), "fp32"
        return bool(unsound)

    def result(self) -> Scan:
        """The scan so far."""
        layers = {
            name: tuple(map(_OpenPoint.result, each))
            for name, each in self.points.items()
            if name == UNIFORM or self._is_scanned(name)
        }
        uniform = layers.pop(UNIFORM, ())
        return Scan(
            split=self.split,
            images=len(self.data),
            layers=layers,
            uniform=uniform,
            precision=self.precision,
            traced=not self.untraceable,
            stopped=self.stopped,
            repair=self.preparation.name,
        )

    def _advance(self, index: Tensor, stop: StopFlag) -> Stream[None]:
        """Measure the open points on these images."""
        images, labels = self.data.batch(index)
        first = not any(point.images for point in self._all_points())
        self._set_dense_statistics()
        with torch.inference_mode(), NetCall(EVALUATION, images):
            values = self.net.start(images)
        for name in self.groups:
            if self.preparation.waits(name):
                yield from self._prepare(name)
            if not self.points[name]:
                continue
            alive = self.net.alive(name, values)
            coarse = self.net.in_bf16(alive) if self.arithmetic == "bf16" else alive
            int8 = Int8Convolutions(v for v in alive.values() if isinstance(v, Tensor))
            for point in filter(self._is_open, self.points[name]):
                if stop():
                    self.stopped = True
                    return
                with self._pruned(name, point):
                    with torch.inference_mode(), NetCall(EVALUATION, images):
                        predictions = self._predict(name, alive, coarse, int8, point)
                        point.correct += int((predictions == labels).sum())
                    point.images += len(labels)
                    if self.preparation.done:
                        yield self._progress()
                    if first:
                        yield PointScanned(self.result())

    def _predict(
        self, name: str, alive: Values, coarse: Values, int8: Int8Convolutions, point: _OpenPoint
    ) -> Tensor:
        """The classes [N] that the net, with its current weights, predicts in float32."""
        whole = coarse if point.arithmetic == "bf16" else alive

        def logits(index: Tensor | None) -> Tensor:
            values = whole if index is None else self.net.rows(name, alive, index)
            return self.net.finish(name, values)

        device, arithmetic = self.data.device, point.arithmetic
        tried = point.coarse_filter.predict(logits, device, arithmetic, int8)
        if not point.coarse_filter.pays:
            point.arithmetic = "fp32"
        return tried

    def _fastest(self) -> str:
        """What to compute logits in first: bf16, or in its place int8 where that is faster."""
        enough = len(self.data) > 4 * FIRST_CHECKS  # images; of few, most are computed both ways
        faster = self.data.device.type == "cpu" and any(map(is_faster, self.base.values()))
        uses_int8 = self.precision == "fp32" and enough and faster and is_fast_here()
        return "int8" if uses_int8 else self.precision

    def _points(self, layers: Sequence[Layer], sparsities: Sequence[float]) -> list[_OpenPoint]:
        weights = {layer.key: self.order[layer.key] for layer in layers}
        points = []
        for sparsity in [check_sparsity(sparsity, "the scan") for sparsity in sparsities]:
            thresholds = {key: threshold(weight, sparsity) for key, weight in weights.items()}
            points.append(_OpenPoint(sparsity, thresholds, self.arithmetic))
        return points

    def _is_scanned(self, name: str) -> bool:
        return self.only is None or name in self.only

    def _all_points(self) -> list[_OpenPoint]:
        return list(chain(*self.points.values()))

    def _is_open(self, point: _OpenPoint) -> bool:
        if not point.images:
            return True
        if point.images == len(self.data):
            return False
        return self.within is None or point.result().estimate[1] > self.within

    @contextmanager
    def _pruned(self, name: str, point: _OpenPoint) -> Iterator[None]:
        """Let the net compute with pruned copies; its own tensors belong to the caller."""
        if point.statistics is not None:
            set_statistics(self.norms, point.statistics)
        before = dict[str, Tensor]()
        try:
            for layer in self.groups[name]:
                for key, values in self._parameters(layer, point).items():
                    parameter = self.model.get_parameter(key)
                    before[key], parameter.data = parameter.data, values
            yield
        finally:
            for key, values in before.items():
                self.model.get_parameter(key).data = values

    def _parameters(self, layer: Layer, point: _OpenPoint) -> Mapping[str, Tensor]:
        """Those of a layer at a point."""
        repaired = self.preparation.repaired.get(layer.name, {})
        if point.sparsity in repaired:
            return repaired[point.sparsity]()
        weight = self.base[layer.key]
        pruned = pruned_by(self.order[layer.key], point.thresholds[layer.key])
        return {layer.key: weight.masked_fill(pruned, 0.0)}

    def _progress(self) -> Progress:
        points = self._all_points()
        if self.within is None:
            seen = sum(point.images for point in points)
            return Progress("scanning", seen, len(points) * len(self.data), "images")
        closed = sum(not self._is_open(point) for point in points)
        return Progress("scanning a growing sample", closed, len(points), "points")
